#include "ceremony/steps/policy_rules.h"

#include "tests/unit/steps/plan_fixture.h"

namespace {

using ceremony::x509::FixedValidity;
using ceremony::x509::IndefiniteValidity;
using ceremony::x509::RelativeValidity;
using plan_fixture::Files;
using Lines = std::vector<std::string>;

// What the plan says when the policy allows `days` and a root profile has the validity.
Lines With(ceremony::x509::Validity validity, int days) {
  Files files;
  files.policy["validity"] = {{"root", days}};
  auto inputs = plan_fixture::InputsOf(files);
  ceremony::script::ProfileFile profile;
  profile.profile.kind = "root";
  profile.profile.validity = validity;
  profile.file.name = "r.profile.json";
  inputs.profiles.emplace("root-ca", profile);
  return plan_fixture::Says(ceremony::steps::MakePlan(inputs, {}));
}

Lines TooLong(const std::string& days, const std::string& allowed) {
  return {"PROFILE-VALIDITY-01 breach: certificates of profile root-ca are valid for up to " + days +
          " days, the policy allows " + allowed + " for root"};
}

}  // namespace

TEST_CASE("a certificate is not valid for longer than the policy allows, leap days counted") {
  CHECK(With(RelativeValidity{50, 0, 0}, 18'263) == Lines{});
  CHECK(With(RelativeValidity{50, 0, 0}, 18'262) == TooLong("18263", "18262"));
  CHECK(With(RelativeValidity{0, 0, 365}, 365) == Lines{});
  CHECK(With(RelativeValidity{1, 0, 0}, 365) == TooLong("366", "365"));
  // date -ud 2026-01-01 +%s; date -ud '2026-12-31 23:59:59' +%s
  CHECK(With(FixedValidity{1'767'225'600, 1'798'761'599}, 365) == Lines{});
  CHECK(With(FixedValidity{1'767'225'600, 1'798'761'600}, 365) == TooLong("366", "365"));
  CHECK(With(IndefiniteValidity{}, 4'000'000).size() == 0);
  CHECK(With(IndefiniteValidity{}, 36'500).size() == 1);
}

TEST_CASE("a profile of certificates signs by an algorithm that the policy names") {
  Files files;
  const auto found = [&] {
    auto inputs = plan_fixture::InputsOf(files);
    ceremony::script::ProfileFile profile;
    profile.profile.signature_algorithm = ceremony::x509::SignatureAlgorithm::kEcdsaSha384;
    profile.file.name = "r.profile.json";
    inputs.profiles.emplace("root-ca", profile);
    return plan_fixture::Says(ceremony::steps::MakePlan(inputs, {}));
  };
  CHECK(found() == Lines{"PROFILE-SIGNATURE-01 breach: profile root-ca signs by ecdsa-with-SHA384, the policy p names "
                         "ecdsa-with-SHA256"});
  files.policy["algorithms"]["signatures"].push_back("ecdsa-with-SHA384");
  CHECK(found() == Lines{});
}

TEST_CASE("a section that is estimated to take longer than the window is pointed out") {
  Files files;
  files.policy["window"] = {{"warn_minutes", 1}, {"stop_minutes", 2}};
  const Lines found = plan_fixture::FindingsOf(files);
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with("PLAN-WINDOW-01 good-practice: section all is estimated to take "));
  CHECK(found[0].ends_with(" minutes, the policy warns at 1 and stops at 2"));
}

TEST_CASE("a departure from good practice blocks a ceremony until two named people waive it; a rehearsal shows it") {
  Files files;
  files.policy["window"] = {{"warn_minutes", 1}, {"stop_minutes", 2}};
  const auto plan = [&] { return ceremony::steps::MakePlan(plan_fixture::InputsOf(files), {}); };
  CHECK_FALSE(plan().IsBlocked());
  files.binding["environment"] = "production";
  for (const char* person : {"alice", "bob", "carol"}) files.binding["credentials"][person] = {{"offline", true}};
  CHECK(plan().IsBlocked());
  files.binding["waivers"] = {
      {{"rule", "PLAN-WINDOW-01"}, {"reason", "there is one room"}, {"people", {"alice", "wendy"}}}};
  CHECK_FALSE(plan().IsBlocked());
  CHECK(plan().findings.at(0).waived_by == std::vector<std::string>{"alice", "wendy"});
  files.with_binding = false;
  CHECK_FALSE(plan().IsBlocked());
}

TEST_CASE("who is needed later, or signs the closed record, is not sent away unseen") {
  Files files;
  files.steps().push_back({{"id", "go"}, {"do", "room.depart"}, {"roles", {"witness", "custodian", "auditor"}}});
  CHECK(plan_fixture::FindingsOf(files) ==
        Lines{"PLAN-DEPART-01 good-practice go: people of role custodian may leave, and they sign the closed record"});
  files.steps().push_back(
      {{"id", "agreed"}, {"do", "room.confirm"}, {"by", "witness"}, {"statement", "It is done."}, {"word", "yes"}});
  CHECK(plan_fixture::FindingsOf(files) ==
        Lines{"PLAN-DEPART-01 good-practice go: people of role witness may leave, and step agreed needs them",
              "PLAN-DEPART-01 good-practice go: people of role custodian may leave, and they sign the closed record"});
}
