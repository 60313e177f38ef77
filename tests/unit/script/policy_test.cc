#include "ceremony/script/policy.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/unit/script/sample_files.h"
#include "tests/unit/script/support.h"

using namespace ceremony::script;

namespace {

std::string ProblemsOf(const std::string& text) {
  Problems problems;
  const auto policy = ParsePolicy(FileOf("p.json", text), &problems);
  CHECK(policy.ok() == problems.empty());
  return LinesOf(problems);
}

}  // namespace

TEST_CASE("a policy is read with all its numbers and rules") {
  const auto policy = ParsePolicy(FileOf("p.json", kGoodPolicy));
  REQUIRE_MESSAGE(policy.ok(), (policy.ok() ? "" : policy.error().message));
  CHECK(policy->id == "smki");
  CHECK(policy->version == "1.0");
  CHECK(policy->clock.tolerance_seconds == 5);
  CHECK(policy->window.warn_minutes == 60);
  CHECK(policy->window.stop_minutes == 90);
  CHECK(policy->quorum.minimum_m == 2);
  CHECK(policy->quorum.spare == 1);
  CHECK(policy->quorum.one_employer_below_m);
  CHECK(policy->pin.alphabet == "0123456789");
  CHECK(policy->pin.user_length == 12);
  CHECK(policy->pin.so_length == 16);
  CHECK(policy->AllowsKey("rsa-4096"));
  CHECK_FALSE(policy->AllowsKey("ec-p384"));
  CHECK(policy->AllowsSignature("ecdsa-with-SHA256"));
  CHECK_FALSE(policy->AllowsSignature("ed25519"));
  CHECK(policy->validity.at(0).certificate == "root");
  CHECK(policy->validity.at(0).maximum_days == 18263);
  CHECK(policy->caps.at(0).use == "issuing");
  CHECK(policy->caps.at(0).certificates == 100000);
  CHECK(policy->caps.at(0).hold_months == 24);
  CHECK(policy->crl.arl_days == 366);
  CHECK(policy->crl.crl_hours == 12);
  CHECK(policy->attendance.at(0).role == Role::kWitness);
  CHECK(policy->attendance.at(0).minimum == 1);
  CHECK(policy->roles_apart.at(0).first == Role::kAdministrator);
  CHECK(policy->roles_apart.at(0).second == Role::kAuditor);
  CHECK(policy->waiver_people == 2);
  CHECK(policy->statement_signing);
  CHECK(policy->FindRule("QUORUM-MAJORITY-01")->severity == Severity::kGoodPractice);
  CHECK(policy->FindRule("QUORUM-MAJORITY-01")->clause == "CP 5.2.2");
  CHECK(policy->FindRule("NOT-THERE-01") == nullptr);
}

TEST_CASE("numbers that every ceremony needs must be stated") {
  CHECK(ProblemsOf(R"({"format":"keyceremony-policy/1","id":"x","version":"1","title":"t"})") ==
        "INPUT-03 p.json:1:1: /clock: missing: expected an object\n"
        "INPUT-03 p.json:1:1: /window: missing: expected an object\n"
        "INPUT-03 p.json:1:1: /quorum: missing: expected an object\n"
        "INPUT-03 p.json:1:1: /pin: missing: expected an object\n"
        "INPUT-03 p.json:1:1: /algorithms: missing: expected an object\n"
        "INPUT-03 p.json:1:1: /waiver: missing: expected an object\n");
}

TEST_CASE("a policy that contradicts itself is refused") {
  CHECK(ProblemsOf(Replaced(kGoodPolicy, "\"stop_minutes\": 90", "\"stop_minutes\": 59")) ==
        "INPUT-14 p.json:7:50: /window/stop_minutes: expected at least warn_minutes, 60, found 59\n");
  CHECK(ProblemsOf(Replaced(kGoodPolicy, "\"0123456789\"", "\"01234567890\"")) ==
        "INPUT-12 p.json:9:23: /pin/alphabet: expected characters that differ, found `0` twice\n");
  // How long a PIN must be is not said of an alphabet that is wrong.
  CHECK(ProblemsOf(Replaced(kGoodPolicy, "\"0123456789\"", "\"aaaaaaaaaa\"")) ==
        "INPUT-12 p.json:9:23: /pin/alphabet: expected characters that differ, found `a` twice\n");
  CHECK(ProblemsOf(Replaced(kGoodPolicy, "\"certificates\": 100000", "\"certificates\": 1000000000001"))
            .find("/caps/issuing/certificates: expected") != std::string::npos);
  CHECK(ProblemsOf(Replaced(kGoodPolicy, "\"user_length\": 12", "\"user_length\": 9")) ==
        "INPUT-14 p.json:9:52: /pin/user_length: expected at least 10 characters of this alphabet (32 bits of chance), "
        "found 9\n");
  CHECK(ProblemsOf(Replaced(kGoodPolicy, "\"0123456789\"", "\"012345678ä\"")) ==
        "INPUT-05 p.json:9:23: /pin/alphabet: expected 10 to 94 printable ASCII characters, found the text "
        "\"012345678ä\"\n");
  CHECK(ProblemsOf(Replaced(kGoodPolicy, "OWN-01", "QUORUM-MAJORITY-01")) ==
        "INPUT-12 p.json:20:12: /rules/1/id: expected a rule of its own, found that of line 19\n");
  CHECK(ProblemsOf(Replaced(kGoodPolicy, "[\"administrator\", \"auditor\"]", "[\"auditor\", \"auditor\"]")) ==
        "INPUT-12 p.json:16:31: /roles_apart/0/1: expected items that differ, found the text \"auditor\" twice\n");
}

TEST_CASE("what a policy keeps confidential, and nothing else, is so") {
  nlohmann::json file = nlohmann::json::parse(kGoodPolicy);
  CHECK_FALSE(ParsePolicy(FileOf("p.json", file.dump()))->KeepsConfidential("employer"));
  file["confidential"] = {"employer", "bag"};
  const auto policy = ParsePolicy(FileOf("p.json", file.dump()));
  REQUIRE(policy.ok());
  CHECK(policy->KeepsConfidential("employer"));
  CHECK(policy->KeepsConfidential("bag"));
  CHECK_FALSE(policy->KeepsConfidential("seal"));
}

TEST_CASE("algorithms are those that the product knows") {
  CHECK(ProblemsOf(Replaced(kGoodPolicy, "\"rsa-4096\"", "\"rsa-1024\"")) ==
        "INPUT-05 p.json:10:41: /algorithms/ca_keys/1: expected \"ec-p256\", \"ec-p384\", \"ec-p521\", \"ed25519\", "
        "\"rsa-2048\", \"rsa-3072\" or \"rsa-4096\", "
        "found the text \"rsa-1024\"\n");
}

TEST_CASE("a site is under one law, and a site that has none is in no jurisdiction") {
  nlohmann::json file = nlohmann::json::parse(kGoodPolicy);
  file["quorum"]["jurisdiction"] = "several";
  file["jurisdictions"] = {{"england", {"Leeds", "London"}}, {"scotland", {"Perth"}}};
  const auto policy = ParsePolicy(FileOf("p.json", file.dump()));
  REQUIRE_MESSAGE(policy.ok(), (policy.ok() ? "" : policy.error().message));
  CHECK(policy->quorum.spread == QuorumSpread::kSeveral);
  CHECK(policy->JurisdictionOf("London") == "england");
  CHECK(policy->JurisdictionOf("Perth") == "scotland");
  CHECK(policy->JurisdictionOf("Cardiff").empty());
  CHECK(policy->JurisdictionOf("").empty());
  file["jurisdictions"]["scotland"] = {"Perth", "Leeds"};
  CHECK(ProblemsOf(file.dump()).find("expected a site of its own, found one that is in \"england\", too") !=
        std::string::npos);
  CHECK(ParsePolicy(FileOf("p.json", kGoodPolicy))->quorum.spread == QuorumSpread::kAny);
}
