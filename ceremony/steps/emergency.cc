#include "ceremony/steps/emergency.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/steps/people_rules.h"

namespace ceremony::steps {
namespace {

// A subscriber's key is lost on any day; a CA's is an incident (BR 5.7.1).
bool IsOfIncident(const script::Step& step) {
  if (step.kind == "key.deactivate") return step.fields.Text("reason") == "compromised";
  if (step.kind != "crl.issue" || !step.fields.Has("revoke")) return false;
  return std::ranges::any_of(step.fields.List("revoke"), [](const nlohmann::json& item) {
    const auto& reason = item.at("reason").get_ref<const std::string&>();
    return reason == "cACompromise" || reason == "aACompromise";
  });
}

}  // namespace

void CheckEmergency(const script::Inputs& inputs, Plan& plan) {
  const script::Script& script = inputs.script;
  const script::Step* incident = nullptr;
  bool tells = false;
  for (const script::Section& section : script.sections) {
    for (const script::Step& step : section.steps) {
      tells = tells || step.kind == "comms.notify";
      if (incident == nullptr && IsOfIncident(step)) incident = &step;
    }
  }
  if (script.emergency && !tells) {
    constexpr const char* kRule = "PLAN-EMERGENCY-01";
    plan.findings.push_back({GradeOf(inputs.policy, kRule, Severity::kBreach), kRule, "", script.file.name,
                             "the script is an emergency and tells nobody outside of the room",
                             "add comms.notify steps: who is told what, by which channel, and who acknowledges it"});
  }
  if (!script.emergency && incident != nullptr) {
    constexpr const char* kRule = "PLAN-EMERGENCY-02";
    plan.findings.push_back(
        {GradeOf(inputs.policy, kRule, Severity::kGoodPractice), kRule, incident->id, script.Where(*incident),
         fmt::format("step {} deals with a compromise, and the script does not say that it is an emergency",
                     incident->id),
         "say \"emergency\": true, and tell with comms.notify whoever must know"});
  }
}

}  // namespace ceremony::steps
