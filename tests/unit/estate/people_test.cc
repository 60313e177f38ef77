// People in the estate: appointed, retired, and what becomes of the roster by it.
#include <doctest/doctest.h>

#include "ceremony/estate/joiners.h"
#include "ceremony/estate/roster_after.h"

namespace {

using namespace ceremony::estate;
namespace script = ceremony::script;
using script::PersonState;

const Provenance kFirst{"0001-appoint", 12, "2026-01-01T00:00:00.000000Z"};
const Provenance kSecond{"0002-retire", 9, "2026-02-01T00:00:00.000000Z"};

PersonAppointed Appointed(const std::string& id, const std::string& sign, const std::string& open) {
  return {id, "Frank", "North", "organisation", "Leeds", "custodian", sign, open, "2026-01-01"};
}
PersonRetired Retired(const std::string& id, const std::string& state, const std::string& on) {
  return {id, "Frank", state, "another post", on};
}

std::string RuleOf(const base::Result<void>& result) { return result.ok() ? "" : result.error().rule; }

script::Person Someone(const std::string& id, PersonState state, std::vector<script::StateChange> history = {}) {
  script::Person person;
  person.id = id;
  person.name = id;
  person.employer = "North";
  person.roles = {script::Role::kCustodian};
  person.state = state;
  person.history = std::move(history);
  return person;
}

}  // namespace

TEST_CASE("a custodian is appointed once, goes, and does not come back") {
  Estate estate;
  REQUIRE(estate.Apply(Appointed("frank", "S", "O"), kFirst).ok());
  CHECK(RuleOf(estate.Apply(Appointed("frank", "S2", "O2"), kSecond)) == "EST-PERSON-01");
  REQUIRE(estate.Apply(Retired("frank", "leaving", "2026-02-01"), kSecond).ok());
  CHECK(RuleOf(estate.Apply(Retired("frank", "leaving", "2026-02-02"), kSecond)) == "EST-PERSON-03");
  REQUIRE(estate.Apply(Retired("frank", "left", "2026-02-03"), kSecond).ok());
  CHECK(RuleOf(estate.Apply(Retired("frank", "leaving", "2026-02-04"), kSecond)) == "EST-PERSON-03");
  const auto again = estate.Apply(Appointed("frank", "S2", "O2"), kSecond);
  CHECK(RuleOf(again) == "EST-PERSON-01");
  CHECK(again.error().message == "frank is the id of Frank, who is left since ceremony 0002-retire (entry 9)");
  const Person& frank = *estate.FindPerson("frank");
  CHECK(frank.state == "left");
  CHECK(frank.on == "2026-02-03");
  CHECK(frank.appointed_on == "2026-01-01");
  CHECK(frank.appointed.ceremony == "0001-appoint");
  CHECK(frank.since.ceremony == "0002-retire");
  CHECK(frank.sign_key == "S");
}

TEST_CASE("no key of one person becomes a key of another, whatever it was for") {
  Estate estate;
  REQUIRE(estate.Apply(Appointed("frank", "S", "O"), kFirst).ok());
  CHECK(RuleOf(estate.Apply(Appointed("grace", "S", "O2"), kSecond)) == "EST-PERSON-02");
  CHECK(RuleOf(estate.Apply(Appointed("grace", "O", "O2"), kSecond)) == "EST-PERSON-02");
  CHECK(RuleOf(estate.Apply(Appointed("grace", "S2", "S"), kSecond)) == "EST-PERSON-02");
  CHECK(RuleOf(estate.Apply(Appointed("grace", "S2", ""), kSecond)) == "");
  CHECK(RuleOf(estate.Apply(Appointed("heidi", "S3", ""), kSecond)) == "");
}

TEST_CASE("somebody of the first roster may be retired without having been appointed") {
  Estate estate;
  REQUIRE(estate.Apply(Retired("erin", "leaving", "2026-02-01"), kSecond).ok());
  CHECK(estate.FindPerson("erin")->appointed_on.empty());
  CHECK(RuleOf(estate.Apply(Appointed("erin", "S", "O"), kSecond)) == "EST-PERSON-01");
}

TEST_CASE("the roster after the ceremonies has their states, keys and days") {
  script::Roster roster;
  roster.people = {Someone("frank", PersonState::kTrained, {{PersonState::kTrained, "2025-12-01"}}),
                   Someone("erin", PersonState::kActive), Someone("alice", PersonState::kActive)};
  Estate estate;
  REQUIRE(estate.Apply(Appointed("frank", "S", "O"), kFirst).ok());
  REQUIRE(estate.Apply(Retired("erin", "left", "2026-02-01"), kSecond).ok());
  const script::Roster after = RosterAfter(roster, estate);
  const script::Person& frank = *after.FindPerson("frank");
  CHECK(frank.state == PersonState::kActive);
  CHECK(frank.sign_key == "S");
  CHECK(frank.open_key == "O");
  CHECK(frank.Since() == "2026-01-01");
  const script::Person& erin = *after.FindPerson("erin");
  CHECK(erin.state == PersonState::kLeft);
  REQUIRE(erin.history.size() == 2);
  CHECK(erin.history[0].state == PersonState::kLeaving);
  CHECK(after.FindPerson("alice")->history.empty());
  // Said again, nothing changes.
  CHECK(RosterAfter(after, estate).FindPerson("erin")->history.size() == 2);
}

TEST_CASE("a period is two days that exist, in order") {
  CHECK(ParsePeriod("2026-01-01..2026-12-31")->to == "2026-12-31");
  CHECK(ParsePeriod("2026-01-01..2026-01-01").ok());
  CHECK(ParsePeriod("2026-01-02..2026-01-01").error().message ==
        "the period \"2026-01-02..2026-01-01\" ends before it begins");
  for (const char* bad : {"", "..", "2026-01-01", "2026-01-01..", "2026-02-29..2026-03-01", "2026-1-1..2026-2-2",
                          "2026-01-01...2026-02-01"})
    CHECK_FALSE(ParsePeriod(bad).ok());
}

TEST_CASE("joiners and leavers are those whose days lie in the period, both ends included") {
  script::Roster roster;
  roster.people = {Someone("old", PersonState::kLeft,
                           {{PersonState::kActive, "2020-01-01"},
                            {PersonState::kLeaving, "2026-01-01"},
                            {PersonState::kLeft, "2026-07-01"}}),
                   Someone("new", PersonState::kActive,
                           {{PersonState::kTrained, "2026-03-01"}, {PersonState::kActive, "2026-06-30"}}),
                   Someone("later", PersonState::kActive, {{PersonState::kActive, "2026-07-01"}}),
                   Someone("ever", PersonState::kActive)};
  Estate estate;
  PersonAppointed appointed = Appointed("new", "S", "O");
  appointed.on = "2026-06-30";
  REQUIRE(estate.Apply(appointed, kFirst).ok());
  const JoinerLeaverReport report = ReportJoiners(roster, estate, {"2026-01-01", "2026-06-30"});
  std::string told;
  for (const PersonChange& change : report.changes)
    told += change.on + " " + change.person + " " + std::string(script::NameOf(change.state)) + " " + change.ceremony +
            "\n";
  CHECK(told ==
        "2026-01-01 old leaving \n"
        "2026-03-01 new trained \n"
        "2026-06-30 new active 0001-appoint\n");
  CHECK(report.before == std::vector<std::string>{"old", "ever"});
  CHECK(report.after == std::vector<std::string>{"new", "ever"});
  CHECK(report.undated == std::vector<std::string>{"ever"});
  CHECK(report.Of(PersonState::kActive).size() == 1);
  CHECK(report.Of(PersonState::kLeft).empty());
}
