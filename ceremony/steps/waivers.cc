#include "ceremony/steps/waivers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "hsm/base/counted.h"

namespace ceremony::steps {
namespace {

constexpr std::array<std::string_view, 15> kWaivable = {
    "ATTEND-LEAST-01",    "ATTEND-LEAST-02",    "PERSON-DOMAIN-01", "PERSON-SITE-01", "PLAN-CRED-01",
    "PLAN-DEPART-01",     "PLAN-EMERGENCY-02",  "PLAN-QUORUM-02",   "PLAN-WINDOW-01", "PROFILE-VALIDITY-01",
    "QUORUM-EMPLOYER-01", "QUORUM-MAJORITY-01", "QUORUM-SPARE-01",  "ROLE-APART-01",  "TOKEN-SITE-01"};

bool MayWaive(const script::Inputs& inputs, const std::string& person) {
  if (!inputs.roster) return true;
  const script::Person* known = inputs.roster->FindPerson(person);
  return known != nullptr && known->state == script::PersonState::kActive;
}

void Judge(const script::Inputs& inputs, const script::Waiver& waiver, Plan& plan) {
  const auto breach = [&](const char* rule, std::string message, std::string hint) {
    plan.findings.push_back(
        {Severity::kBreach, rule, "", inputs.binding->file.name, std::move(message), std::move(hint), {}, {}});
  };
  if (!IsWaivable(waiver.rule)) {
    breach("WAIVER-01", fmt::format("the rule {} cannot be waived", waiver.rule),
           "what it asks for must be put right; take the waiver out of the binding");
    return;
  }
  if (waiver.people.size() < static_cast<std::size_t>(inputs.policy.waiver_people)) {
    breach("WAIVER-02",
           fmt::format("the waiver of {} names {}, the policy asks for {}", waiver.rule,
                       base::Counted(waiver.people.size(), "person", "people"), inputs.policy.waiver_people),
           "name as many different people as the policy asks for");
    return;
  }
  for (const std::string& person : waiver.people) {
    if (MayWaive(inputs, person)) continue;
    breach("WAIVER-02",
           fmt::format("the waiver of {} names {}, who is not an active person of the roster", waiver.rule, person),
           "name people of the roster who will be in the room");
    return;
  }
  bool any = false;
  for (Finding& finding : plan.findings) {
    if (finding.rule != waiver.rule || (!waiver.step.empty() && finding.step != waiver.step)) continue;
    finding.waived_by = waiver.people;
    finding.waived_because = waiver.reason;
    any = true;
  }
  if (!any) {
    breach("WAIVER-03",
           fmt::format("the waiver of {}{} has nothing to waive: the rule is kept", waiver.rule,
                       waiver.step.empty() ? "" : " in step " + waiver.step),
           "take it out of the binding");
  }
}

}  // namespace

bool IsWaivable(std::string_view rule) { return std::ranges::find(kWaivable, rule) != kWaivable.end(); }

void ApplyWaivers(const script::Inputs& inputs, Plan& plan) {
  if (!inputs.binding) return;
  for (const script::Waiver& waiver : inputs.binding->waivers) Judge(inputs, waiver, plan);
  // A rehearsal is where a departure is found out; nobody has decided on it yet.
  if (inputs.binding->environment == script::Environment::kRehearsal) return;
  for (Finding& finding : plan.findings) finding.wants_waiver = finding.severity == Severity::kGoodPractice;
}

}  // namespace ceremony::steps
