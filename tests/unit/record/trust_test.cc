#include "ceremony/record/trust.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/record/scratch.h"

namespace {

using namespace ceremony::record;

// Edited is the roster of the vectors with the first `from` replaced.
std::string Edited(const std::string& from, const std::string& to) {
  std::string roster = Scratch::ReadFile(kRosterFile);
  const std::size_t at = roster.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return roster.replace(at, from.size(), to);
}

std::string ProblemOf(const std::string& roster) {
  const base::Result<Trust> trust = Trust::ParseRoster(roster);
  if (trust.ok()) return "";
  CHECK(trust.error().code == base::ErrorCode::kInvalidInput);
  return trust.error().message;
}

}  // namespace

TEST_CASE("the roster of the vectors pins five custodians, three of whom are a quorum") {
  const base::Result<Trust> trust = Trust::ReadRoster(kRosterFile);
  REQUIRE(trust.ok());
  CHECK(trust->estate() == "smki.example");
  CHECK(trust->witnesses().m == 3);
  REQUIRE(trust->witnesses().keys.size() == 5);
  CHECK(trust->witnesses().keys[0].name() == "smki.example/alice");
  CHECK(trust->Find("nobody") == nullptr);
}

TEST_CASE("what a roster must not be is refused with its place") {
  CHECK(ProblemOf("[]") == "roster: not an object");
  CHECK(ProblemOf("{").find("roster: ") == 0);
  CHECK(ProblemOf(Edited("", " ")).empty());
  CHECK(ProblemOf(Edited("}\n", "} x\n")).find("roster: ") == 0);
  CHECK(ProblemOf(Edited("keyceremony-roster/1", "keyceremony-roster/2")) ==
        "roster: /format is \"keyceremony-roster/2\" where \"keyceremony-roster/1\" is expected");
  CHECK(ProblemOf(Edited("\"estate\"", "\"state\"")) == "roster: /estate is missing");
  CHECK(ProblemOf(Edited("\"m\": 3", "\"m\": \"3\"")) ==
        "roster: /quorums/custodians/m is string where number is expected");
  CHECK(ProblemOf(Edited("\"m\": 3", "\"m\": 0")) ==
        "roster: /quorums/custodians/m is 0, but 5 active people with a key have the role \"custodian\"");
  CHECK(ProblemOf(Edited("\"m\": 3", "\"m\": 6")) ==
        "roster: /quorums/custodians/m is 6, but 5 active people with a key have the role \"custodian\"");
  CHECK(ProblemOf(Edited("\"m\": 3", "\"m\": 3, \"m\": 3")) == "roster: the key \"m\" occurs twice in one object");
  CHECK(ProblemOf(Edited("\"custodians\"", "\"witnesses\"")) == "roster: /quorums/custodians is missing");
  CHECK(ProblemOf(Edited("\"id\": \"bob\"", "\"id\": \"alice\"")) ==
        "roster: /people/1/id \"alice\" is the id of two people");
  CHECK(ProblemOf(Edited("\"id\": \"bob\"", "\"id\": \"b/ob\"")) ==
        "roster: /people/1/id \"b/ob\" is not a name of letters, digits, _, - and .");
  CHECK(ProblemOf(Edited("\"sign_key\": \"", "\"sign_key\": \"=")).find("roster: /people/0/sign_key: ") == 0);
  CHECK(ProblemOf(Edited("\"sign_key\": \"MFk", "\"sign_key\": \"MFo")).find("roster: /people/0/sign_key: ") == 0);
  CHECK(ProblemOf(std::string(100000, '[')).find("roster: ") == 0);
}

TEST_CASE("one key is not two people") {
  const std::string roster = Scratch::ReadFile(kRosterFile);
  const auto key_at = [&](std::size_t from) {
    const std::size_t start = roster.find("\"sign_key\": \"", from) + 13;
    return roster.substr(start, roster.find('"', start) - start);
  };
  const std::string alice = key_at(0);
  const std::string bob = key_at(roster.find("\"bob\""));
  REQUIRE(alice != bob);
  CHECK(ProblemOf(Edited(bob, alice)) == "roster: /people/1/sign_key is the key of two people");
}

TEST_CASE("a quorum of a domain does not count who is of another one") {
  nlohmann::json roster = nlohmann::json::parse(Scratch::ReadFile(kRosterFile));
  roster["quorums"]["organisation"] = {{"m", 3}, {"role", "custodian"}, {"domain", "organisation"}};
  roster["people"][0]["domain"] = "device";
  roster["people"][1]["domain"] = "organisation";
  const auto trust = ceremony::record::Trust::ParseRoster(roster.dump());
  REQUIRE(trust.ok());
  CHECK(trust->Find("custodians")->keys.size() == 5);
  CHECK(trust->Find("organisation")->keys.size() == 4);
  roster["quorums"]["custodians"]["domain"] = "organisation";
  CHECK(ProblemOf(roster.dump()) ==
        "roster: /quorums/custodians/domain is there, and this quorum witnesses every domain");
  roster["quorums"]["custodians"].erase("domain");
  roster["quorums"]["organisation"]["m"] = 5;
  const auto few = ceremony::record::Trust::ParseRoster(roster.dump());
  REQUIRE_FALSE(few.ok());
  CHECK(few.error().message ==
        "roster: /quorums/organisation/m is 5, but 4 active people with a key have the role \"custodian\" and not "
        "another domain than \"organisation\"");
}

TEST_CASE("who is not active, or has another role, signs nothing") {
  base::Result<Trust> trust =
      Trust::ParseRoster(Edited("\"id\": \"alice\"", "\"id\": \"alice\", \"state\": \"retired\""));
  REQUIRE(trust.ok());
  CHECK(trust->witnesses().keys.size() == 4);
  CHECK(trust->witnesses().keys[0].name() == "smki.example/bob");
  trust = Trust::ParseRoster(Edited("\"id\": \"alice\"", "\"id\": \"alice\", \"state\": \"active\""));
  CHECK(trust->witnesses().keys.size() == 5);
  trust = Trust::ParseRoster(Edited("\"custodian\"\n   ]", "\"auditor\"\n   ]"));
  REQUIRE(trust.ok());
  CHECK(trust->witnesses().keys.size() == 4);
}
