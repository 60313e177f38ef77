// What `check` says about the appointment and the retirement of a custodian.
#include <algorithm>

#include "ceremony/steps/roster_change.h"
#include "tests/unit/steps/plan_fixture.h"

namespace {

using ceremony::steps::MakePlan;
using plan_fixture::Files;
using plan_fixture::FindingsOf;
using plan_fixture::kKeys;
using Lines = std::vector<std::string>;
using nlohmann::json;

// A P-256 key of `openssl genpkey` that is nobody's in the fixture's roster.
constexpr const char* kOpenKey =
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE/tKzP/mC2UkksJCaNK+LKvL3+Y+F7ftV/wC56RAmIhIZjp6qiF1pV/"
    "n2d9eWSu4HKu2tnWbHKn0ppJD4"
    "ZWzNVg==";

json PersonFile() {
  return {{"format", "keyceremony-person/1"},
          {"estate", "smki.example"},
          {"id", "frank"},
          {"name", "Frank"},
          {"sign_key", kKeys[3]},
          {"open_key", kOpenKey}};
}

// A script that appoints Frank, who is trained.
Files Appointment(const json& file = PersonFile()) {
  Files files;
  files.script.erase("tokens");
  files.step(1) = {{"id", "appoint"},
                   {"do", "custodian.appoint"},
                   {"quorum", "custodians"},
                   {"person", "frank"},
                   {"file", "f.json"}};
  files.roster["people"].push_back(
      {{"id", "frank"}, {"name", "Frank"}, {"employer", "Mid Ltd"}, {"roles", {"custodian"}}, {"state", "trained"}});
  files.documents["f.json"] = file.dump();
  return files;
}

Files Retirement(const char* state = "leaving") {
  Files files;
  files.script.erase("tokens");
  files.step(1) = {{"id", "retire"},    {"do", "custodian.retire"}, {"quorum", "custodians"},
                   {"person", "carol"}, {"state", state},           {"reason", "another post"}};
  files.policy["quorum"]["spare"] = 0;
  return files;
}

std::string Appoints(const std::string& rule, const std::string& text) { return rule + " breach appoint: " + text; }

}  // namespace

TEST_CASE("an appointment in order plans an active custodian and a new roster") {
  const auto inputs = plan_fixture::InputsOf(Appointment());
  const auto plan = MakePlan(inputs, {});
  CHECK(plan_fixture::Says(plan) ==
        Lines{"QUORUM-MAJORITY-01 good-practice appoint: after this step: quorum custodians "
              "is 2 of 4: two quorums need not have a person in common"});
  REQUIRE(plan.estate.people().size() == 1);
  CHECK(plan.estate.people()[0].state == "active");
  CHECK(plan.estate.people()[0].sign_key == kKeys[3]);
  CHECK(plan.steps[1].writes == Lines{"artefacts/roster.json"});
}

bool Found(const Files& files, const std::string& finding) {
  const Lines findings = FindingsOf(files);
  return std::ranges::find(findings, finding) != findings.end();
}

TEST_CASE("only who is trained is appointed, with the role, by a quorum") {
  Files files = Appointment();
  files.person(4)["state"] = "screened";
  CHECK(FindingsOf(files) ==
        Lines{Appoints("PERSON-STATE-02", "frank is screened, and only who is trained becomes active")});
  files = Appointment();
  files.person(4)["roles"] = {"witness"};
  CHECK(FindingsOf(files).front() == Appoints("PERSON-ROLE-01", "frank has no role custodian in the roster"));
  files = Appointment();
  files.step(1)["person"] = "george";
  CHECK(FindingsOf(files) == Lines{Appoints("PERSON-ROSTER-01", "the roster has nobody with the id george")});
  files = Appointment();
  files.step(1).erase("quorum");
  CHECK(Found(files, Appoints("PERSON-QUORUM-01", "a custodian is appointed by a quorum, and the step names none")));
}

TEST_CASE("outside a rehearsal the binding says where the keys are that the appointee shows") {
  Files files = Appointment();
  files.binding["environment"] = "sit";
  files.binding["credentials"]["alice"] = {{"offline", true}};
  const std::string missing = Appoints(
      "PERSON-PROOF-02", "frank must show that both keys are theirs, and the binding does not say where the keys are");
  CHECK(Found(files, missing));
  files.binding["credentials"]["frank"] = {{"offline", true}};
  CHECK_FALSE(Found(files, missing));
}

TEST_CASE("the person file is the person's, and its keys are nobody else's") {
  json file = PersonFile();
  file["name"] = "Franz";
  file["estate"] = "other";
  CHECK(FindingsOf(Appointment(file)).at(0) ==
        Appoints("PERSON-FILE-01", "f.json has the estate \"other\", the roster says \"smki.example\""));
  CHECK(FindingsOf(Appointment(file)).at(1) ==
        Appoints("PERSON-FILE-01", "f.json has the name \"Franz\", the roster says \"Frank\""));
  file = PersonFile();
  file["sign_key"] = kKeys[0];
  CHECK(FindingsOf(Appointment(file)).at(0) ==
        Appoints("PERSON-FILE-02", std::string("f.json has a key of alice: ") + kKeys[0]));
  Files files = Appointment();
  files.person(4)["sign_key"] = kOpenKey;
  CHECK(FindingsOf(files).at(0) == Appoints("PERSON-FILE-01", std::string("f.json has the sign_key \"") + kKeys[3] +
                                                                  "\", the roster says \"" + kOpenKey + "\""));
  file = PersonFile();
  file.erase("open_key");
  CHECK(FindingsOf(Appointment(file)).at(0).starts_with("INPUT-03 breach appoint: f.json:"));
}

TEST_CASE("an id is one person for ever, also after they have left") {
  ceremony::estate::Estate estate;
  REQUIRE(estate.Apply(ceremony::estate::PersonRetired{"frank", "Frank", "left", "r", "2026-01-01"}, {"0001-a", 3, ""})
              .ok());
  CHECK(FindingsOf(Appointment(), estate).at(0) ==
        Appoints("PERSON-STATE-02", "frank is left, and only who is trained becomes active"));
  // The roster may not say so, and the archive still knows.
  Files files = Appointment();
  files.step(1)["person"] = "george";
  files.person(4)["id"] = "george";
  json file = PersonFile();
  file["id"] = "george";
  files.documents["f.json"] = file.dump();
  ceremony::estate::Estate other;
  REQUIRE(
      other
          .Apply(ceremony::estate::PersonAppointed{"harry", "H", "E", "", "", "custodian", kKeys[3], "", "2026-01-01"},
                 {"0001-a", 3, ""})
          .ok());
  CHECK(FindingsOf(files, other).at(1) ==
        Appoints("EST-PERSON-02", "the signing key of george is a key of harry since ceremony 0001-a (entry 3)"));
}

TEST_CASE("a retirement in order leaves a quorum") {
  const auto plan = MakePlan(plan_fixture::InputsOf(Retirement()), {});
  CHECK(plan_fixture::Says(plan) == Lines{});
  CHECK(plan.estate.people().at(0).state == "leaving");
  Files files = Retirement();
  files.policy["quorum"]["spare"] = 1;
  CHECK(FindingsOf(files) == Lines{"QUORUM-SPARE-01 good-practice retire: after this step: quorum custodians has 2 "
                                   "active members, 2 with 1 spare are wanted"});
}

TEST_CASE("a retirement that would leave no quorum is refused") {
  Files files = Retirement();
  files.person(1)["state"] = "leaving";
  CHECK(FindingsOf(files).at(0) ==
        "QUORUM-LOST-01 breach retire: after this step quorum custodians has 1 active member, and 2 must approve");
}

TEST_CASE("retiring goes from active to leaving to left, and no other way") {
  CHECK(FindingsOf(Retirement("left")) ==
        Lines{"PERSON-STATE-03 breach retire: carol is active, and cannot become left"});
  Files files = Retirement("left");
  files.person(2)["state"] = "leaving";
  CHECK(FindingsOf(files) == Lines{});
  files = Retirement();
  files.person(2)["state"] = "leaving";
  CHECK(FindingsOf(files) == Lines{"PERSON-STATE-03 breach retire: carol is leaving, and cannot become leaving"});
  files = Retirement();
  files.steps().push_back(files.step(1));
  files.step(2)["id"] = "retire-2";
  files.step(2)["state"] = "left";
  const auto plan = MakePlan(plan_fixture::InputsOf(files), {});
  CHECK(plan_fixture::Says(plan) == Lines{});
  CHECK(plan.estate.people().at(0).state == "left");
  // The last one writes the roster for both.
  CHECK(plan.steps[1].writes == Lines{});
  CHECK(plan.steps[2].writes == Lines{"artefacts/roster.json"});
}

TEST_CASE("nobody is left who still holds a share; a reshare without them comes first") {
  Files files = Retirement("left");
  files.person(2)["state"] = "leaving";
  const auto inputs = plan_fixture::InputsOf(files);
  namespace estate = ceremony::estate;
  const auto issued = [](const char* set, std::int64_t generation, std::vector<std::string> people) {
    estate::SharesIssued effect;
    effect.token = "hsm";
    effect.set = set;
    effect.generation = generation;
    effect.quorum = "custodians";
    effect.m = 1;
    for (const std::string& person : people) effect.holders.push_back({person, "c1", "c2"});
    return effect;
  };
  estate::Estate known;
  estate::TokenCommissioned token;
  token.token = "hsm";
  token.serial = "01";
  REQUIRE(known.Apply(token, {"0001-a", 1, ""}).ok());
  REQUIRE(known.Apply(issued("aa", 1, {"bob", "carol"}), {"0001-a", 2, ""}).ok());
  CHECK(
      plan_fixture::Says(MakePlan(inputs, known)) ==
      Lines{
          "PERSON-SHARES-01 breach retire: carol still holds a share that opens hsm, and would hold nothing any more"});
  REQUIRE(known.Apply(issued("bb", 2, {"bob"}), {"0002-b", 2, ""}).ok());
  CHECK(plan_fixture::Says(MakePlan(inputs, known)) == Lines{});
}

TEST_CASE("two custodians who are appointed in one ceremony may not share a key") {
  Files files = Appointment();
  files.steps().push_back(files.step(1));
  files.step(2)["id"] = "appoint-2";
  files.step(2)["person"] = "george";
  files.step(2)["file"] = "g.json";
  files.roster["people"].push_back(files.person(4));
  files.person(5)["id"] = "george";
  json george = PersonFile();
  george["id"] = "george";
  files.documents["g.json"] = george.dump();
  const Lines found = FindingsOf(files);
  CHECK(std::any_of(found.begin(), found.end(), [](const std::string& line) {
    return line.starts_with("PERSON-FILE-02 breach appoint-2: g.json has a key of frank");
  }));
}
