#include "ceremony/steps/people_rules.h"

#include <algorithm>

#include "tests/unit/steps/plan_fixture.h"

namespace {

using ceremony::estate::Estate;
using ceremony::estate::PersonAppointed;
using ceremony::estate::PersonRetired;
using ceremony::estate::TokenCommissioned;
using plan_fixture::Files;
using plan_fixture::FindingsOf;
using plan_fixture::kKeys;

using Lines = std::vector<std::string>;

const ceremony::estate::Provenance kBefore{"0001-before", 7, "2026-01-02T00:00:00.000000Z"};

Estate After(const ceremony::estate::Effect& effect) {
  Estate estate;
  REQUIRE(estate.Apply(effect, kBefore).ok());
  return estate;
}

}  // namespace

TEST_CASE("people who are enough, of different employers, are found good") { CHECK(FindingsOf(Files()) == Lines{}); }

TEST_CASE("a quorum below the policy's least m is a breach") {
  Files files;
  files.policy["quorum"]["minimum_m"] = 3;
  CHECK(FindingsOf(files) ==
        Lines{"PLAN-QUORUM-02 breach: quorum custodians asks for 2 people, the policy for at least 3"});
}

TEST_CASE("who would be asked and has no credential in the binding is found at the desk, also of a rehearsal") {
  Files files;
  files.binding["credentials"] = {{"alice", {{"sign", "/media/alice/sign.pem"}, {"open", "/media/alice/open.pem"}}},
                                  {"carol", {{"sign", "/media/carol/sign.pem"}}}};
  const std::string bob =
      "PLAN-CRED-01 breach: bob is an active member of quorum custodians, and has no credential in the binding";
  CHECK(FindingsOf(files) == Lines{bob});
  files.binding["environment"] = "uit";
  CHECK(FindingsOf(files) == Lines{bob});
  files.person(2)["sign_key"] = kKeys[3];
  files.person(2)["open_key"] = kKeys[2];
  files.binding["tokens"]["hsm"]["login"] = "shares";
  const Lines found = FindingsOf(files);
  CHECK(std::ranges::count(found, bob) == 1);
  CHECK(std::ranges::count(found,
                           "PLAN-CRED-01 breach: carol is an active member of quorum custodians, and has no key that "
                           "opens shares in the binding") == 1);
  // Who has left is not asked.
  files.person(1)["state"] = "left";
  files.binding["credentials"]["carol"] = {{"offline", true}};
  files.binding["tokens"]["hsm"]["login"] = "pin-prompt";
  CHECK(FindingsOf(files) == Lines{"QUORUM-SPARE-01 good-practice: quorum custodians has 2 active members, 2 with 1 "
                                   "spare are wanted"});
}

TEST_CASE("nothing is made, moved, used or destroyed without a quorum; looking and telling need none") {
  Files files;
  files.step(1).erase("quorum");
  const std::string text = " commission: a step token.commission is to be done, and no quorum approves it";
  CHECK(FindingsOf(files) == Lines{"PLAN-QUORUM-04 good-practice" + text});
  files.with_binding = false;
  CHECK(FindingsOf(files) == Lines{"PLAN-QUORUM-04 breach" + text});
}

TEST_CASE("m that is not more than half of n is good practice, unless the policy grades it a breach") {
  Files files;
  files.roster["people"].push_back(nlohmann::json{{"id", "dave"},
                                                  {"name", "Dave"},
                                                  {"employer", "Mid Ltd"},
                                                  {"roles", {"custodian"}},
                                                  {"state", "active"},
                                                  {"sign_key", kKeys[3]}});
  files.binding["credentials"]["dave"] = {{"offline", true}};
  const std::string text = "quorum custodians is 2 of 4: two quorums need not have a person in common";
  CHECK(FindingsOf(files) == Lines{"QUORUM-MAJORITY-01 good-practice: " + text});
  files.policy["rules"] = {{{"id", "QUORUM-MAJORITY-01"}, {"severity", "breach"}}};
  CHECK(FindingsOf(files) == Lines{"QUORUM-MAJORITY-01 breach: " + text});
}

TEST_CASE("the pool alarm sounds below m and the policy's spare") {
  Files files;
  files.policy["quorum"]["spare"] = 2;
  CHECK(FindingsOf(files) ==
        Lines{"QUORUM-SPARE-01 good-practice: quorum custodians has 3 active members, 2 with 2 spare are wanted"});
}

TEST_CASE("the people of one jurisdiction do not reach m alone, where the policy wants several") {
  Files files;
  files.policy["quorum"]["jurisdiction"] = "several";
  files.policy["jurisdictions"] = {{"england", {"Leeds", "London"}}, {"scotland", {"Perth"}}, {"wales", {"Cardiff"}}};
  files.person(0)["site"] = "Leeds";
  files.person(1)["site"] = "Perth";
  files.person(2)["site"] = "Cardiff";
  files.person(1)["travels"] = files.person(2)["travels"] = {"Leeds"};
  CHECK(FindingsOf(files) == Lines{});
  files.person(2)["site"] = "London";
  files.person(0)["travels"] = files.person(1)["travels"] = {"Leeds"};
  CHECK(
      FindingsOf(files) ==
      Lines{"QUORUM-JURISDICTION-01 breach: 2 of the members of quorum custodians are of england, and 2 are a quorum"});
  // Who is nowhere may be anywhere.
  files.person(2).erase("site");
  const std::string none = " and 1 of none (carol), and 2 are a quorum";
  CHECK(FindingsOf(files) ==
        Lines{"QUORUM-JURISDICTION-01 breach: 1 of the members of quorum custodians is of england" + none,
              "QUORUM-JURISDICTION-01 breach: 1 of the members of quorum custodians is of scotland" + none});
  files.policy["rules"] = {{{"id", "QUORUM-JURISDICTION-01"}, {"severity", "good-practice"}}};
  CHECK(FindingsOf(files).front().starts_with("QUORUM-JURISDICTION-01 good-practice:"));
  files.policy.erase("rules");
  files.policy.erase("jurisdictions");
  CHECK(FindingsOf(files) == Lines{"QUORUM-JURISDICTION-01 breach: no member of quorum custodians is of a jurisdiction "
                                   "that the policy knows, and may be of any"});
}

TEST_CASE("all members are of one jurisdiction, where the policy wants that") {
  Files files;
  files.policy["quorum"]["jurisdiction"] = "one";
  files.policy["jurisdictions"] = {{"england", {"Leeds", "London"}}, {"scotland", {"Perth"}}};
  files.person(0)["site"] = files.person(1)["site"] = "Leeds";
  files.person(2)["site"] = "London";
  CHECK(FindingsOf(files) == Lines{});
  files.person(1)["site"] = "Perth";
  files.person(1)["travels"] = files.person(2)["travels"] = {"Leeds"};
  CHECK(FindingsOf(files) ==
        Lines{"QUORUM-JURISDICTION-02 breach: the members of quorum custodians are 2 of england, 1 "
              "of scotland, the policy wants all in one jurisdiction"});
  files.person(1).erase("site");
  CHECK(FindingsOf(files) ==
        Lines{"QUORUM-JURISDICTION-02 breach: the members of quorum custodians are 2 of england, 1 "
              "of none (bob), the policy wants all in one jurisdiction"});
}

TEST_CASE("a quorum of a domain serves its tokens, and people of another domain are none of its members") {
  Files files;
  files.roster["quorums"]["organisation"] = {{"m", 2}, {"role", "custodian"}, {"domain", "organisation"}};
  files.step(1)["quorum"] = "organisation";
  files.person(2)["domain"] = "device";
  // Carol does not count for it: no finding about her; but she is one of the quorum that witnesses.
  files.policy["quorum"]["spare"] = 0;
  CHECK(FindingsOf(files) == Lines{});
  files.person(1)["domain"] = "device";
  files.roster["quorums"]["organisation"]["m"] = 1;
  files.policy["quorum"]["minimum_m"] = 1;
  files.policy["quorum"]["one_employer_below_m"] = false;
  CHECK(FindingsOf(files) == Lines{});
  files.roster["quorums"]["organisation"]["domain"] = "device";
  CHECK(FindingsOf(files) ==
        Lines{"QUORUM-MAJORITY-01 good-practice: quorum organisation is 1 of 3: two quorums need not have a person in "
              "common",
              "QUORUM-DOMAIN-01 breach commission: quorum organisation serves the domain device, token hsm is of "
              "organisation"});
}

TEST_CASE("one employer that reaches m alone is a breach, where the policy says so") {
  Files files;
  files.person(1)["employer"] = "North Ltd";
  CHECK(
      FindingsOf(files) ==
      Lines{"QUORUM-EMPLOYER-01 breach: 2 of the members of quorum custodians work for North Ltd, and 2 are a quorum"});
  files.policy["quorum"]["one_employer_below_m"] = false;
  CHECK(FindingsOf(files) == Lines{});
}

TEST_CASE("roles that the policy keeps apart are not held by one active person") {
  Files files;
  files.policy["roles_apart"] = nlohmann::json::array({nlohmann::json::array({"custodian", "witness"})});
  files.person(0)["roles"] = {"custodian", "witness"};
  CHECK(FindingsOf(files) ==
        Lines{"ROLE-APART-01 breach: alice is custodian and witness, which the policy keeps apart"});
  // Somebody who takes no part any more holds no role.
  files.person(0)["roles"] = {"custodian"};
  files.person(3)["roles"] = {"witness", "custodian"};
  files.person(3)["state"] = "left";
  files.step(0)["people"] = {{"custodian", 2}};
  CHECK(FindingsOf(files) == Lines{});
}

TEST_CASE("the policy's attendance is asked of the roster and of the script's first step") {
  Files files;
  files.policy["attendance"] = {{"witness", 2}};
  CHECK(
      FindingsOf(files) ==
      Lines{"ATTEND-LEAST-02 breach attend: the step asks for 1 of role witness, the policy wants 2 at every ceremony",
            "ATTEND-LEAST-01 breach: the roster has 1 active of role witness, the policy wants 2 at every ceremony"});
  files.with_roster = false;
  CHECK(
      FindingsOf(files) ==
      Lines{
          "ATTEND-LEAST-02 breach attend: the step asks for 1 of role witness, the policy wants 2 at every ceremony"});
}

TEST_CASE("a custodian of another PKI domain is refused for the token") {
  Files files;
  files.person(0)["domain"] = "organisation";
  CHECK(FindingsOf(files) == Lines{});
  files.person(0)["domain"] = "device";
  CHECK(FindingsOf(files) == Lines{"PERSON-DOMAIN-01 breach commission: alice of quorum custodians is custodian of the "
                                   "domain device, token hsm is of organisation"});
}

TEST_CASE("a token keeps the domain that it was commissioned for") {
  Files files;
  files.step(1) = {{"id", "verify"}, {"do", "token.verify"}, {"token", "hsm"}};
  const Estate estate = After(TokenCommissioned{"hsm", "HSM", "1", "", "", "", "live", "device"});
  CHECK(FindingsOf(files, estate) == Lines{"TOKEN-DOMAIN-01 breach verify: the script says that token hsm is of the "
                                           "domain organisation, it was commissioned for device in ceremony "
                                           "0001-before (entry 7)"});
}

TEST_CASE("a quorum must be possible at the site of the token") {
  Files files;
  for (const int person : {0, 1, 2}) files.person(static_cast<std::size_t>(person))["site"] = "Bristol";
  files.person(0)["travels"] = {"Leeds"};
  CHECK(FindingsOf(files) ==
        Lines{"PERSON-SITE-01 breach commission: quorum custodians needs 2 people at the site Leeds "
              "of token hsm, 1 of its 3 members may attend there"});
  files.person(1)["travels"] = {"York", "Leeds"};
  CHECK(FindingsOf(files) == Lines{});
  files.person(1).erase("travels");
  files.with_binding = false;
  CHECK(FindingsOf(files) == Lines{});
}

TEST_CASE("somebody whom a ceremony retired cannot stand as active again") {
  Files files;
  const Estate estate = After(PersonRetired{"bob", "Bob", "leaving", "new post", "2026-01-02"});
  CHECK(FindingsOf(files, estate) ==
        Lines{"PERSON-ESTATE-01 breach: bob stands as active, and is leaving since ceremony "
              "0001-before (entry 7)"});
  files.person(1)["state"] = "leaving";
  files.policy["quorum"]["spare"] = 0;
  files.policy["rules"] = {{{"id", "QUORUM-MAJORITY-01"}, {"severity", "good-practice"}}};
  CHECK(FindingsOf(files, estate) == Lines{});
}

TEST_CASE("somebody who was appointed stands as active, with the keys of the appointment") {
  Files files;
  const PersonAppointed bob{"bob", "Bob", "South Ltd", "", "", "custodian", kKeys[3], "", "2026-01-02"};
  CHECK(FindingsOf(files, After(bob)) ==
        Lines{std::string("PERSON-ESTATE-02 breach: bob has the sign_key ") + kKeys[1] + ", and was appointed with " +
              kKeys[3] + " in ceremony 0001-before (entry 7)"});
  PersonAppointed frank = bob;
  frank.person = "frank";
  CHECK(FindingsOf(files, After(frank)) ==
        Lines{"PERSON-ESTATE-03 breach: frank was appointed in ceremony 0001-before (entry 7), and is not there"});
  files.person(1)["sign_key"] = kKeys[3];
  CHECK(FindingsOf(files, After(bob)) == Lines{});
}

TEST_CASE("every rule about people has an id of its own") {
  std::set<std::string> ids;
  for (const auto& rule : ceremony::steps::PeopleRules()) ids.emplace(rule.id);
  CHECK(ids.size() == ceremony::steps::PeopleRules().size());
}
