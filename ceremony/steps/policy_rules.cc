#include "ceremony/steps/policy_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "ceremony/steps/people_rules.h"
#include "ceremony/x509/asn1_time.h"
#include "hsm/base/counted.h"

namespace ceremony::steps {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;
// The first days of 1970 to 1973: a span of years has its most leap days from one of them.
constexpr std::array<std::int64_t, 4> kBeginnings = {0, 31'536'000, 63'072'000, 94'694'400};

// The most days that a validity can span, both ends included.
std::int64_t LongestDays(const x509::Validity& validity) {
  std::int64_t longest = 0;
  for (const std::int64_t begins : kBeginnings) {
    const auto period = x509::PeriodOf(validity, begins);
    if (!period.ok()) continue;  // the profile's own check has said so
    const std::int64_t seconds = period->not_after - period->not_before + 1;
    longest = std::max(longest, (seconds + kSecondsPerDay - 1) / kSecondsPerDay);
  }
  return longest;
}

constexpr const char* kSignatureRule = "PROFILE-SIGNATURE-01";
constexpr const char* kSignatureHint = "choose one of its \"signatures\", or have the policy changed";

// What is wrong with a profile whose signature the policy does not name; empty otherwise.
std::string WrongSignature(const script::Policy& policy, const std::string& profile,
                           x509::SignatureAlgorithm algorithm) {
  const std::string_view name = x509::FactsOf(algorithm).name;
  if (policy.AllowsSignature(name)) return {};
  return fmt::format("profile {} signs by {}, the policy {} names {}", profile, name, policy.id,
                     fmt::join(policy.algorithms.signatures, ", "));
}

}  // namespace

void CheckCrlSignature(const x509::CrlProfile& profile, PlanContext& plan) {
  const std::string wrong = WrongSignature(plan.inputs().policy, profile.name, profile.signature_algorithm);
  if (!wrong.empty()) plan.Breach(kSignatureRule, "profile", wrong, kSignatureHint);
}

void CheckProfiles(const script::Inputs& inputs, Plan& plan) {
  constexpr const char* kRule = "PROFILE-VALIDITY-01";
  for (const auto& [name, file] : inputs.profiles) {
    if (std::string wrong = WrongSignature(inputs.policy, name, file.profile.signature_algorithm); !wrong.empty()) {
      plan.findings.push_back(
          {Severity::kBreach, kSignatureRule, "", file.file.name, std::move(wrong), kSignatureHint});
    }
    for (const script::ValidityLimit& limit : inputs.policy.validity) {
      if (limit.certificate != file.profile.kind) continue;
      const std::int64_t days = LongestDays(file.profile.validity);
      if (days <= limit.maximum_days) continue;
      plan.findings.push_back(
          {GradeOf(inputs.policy, kRule, Severity::kBreach), kRule, "", file.file.name,
           fmt::format("certificates of profile {} are valid for up to {}, the policy allows {} for {}", name,
                       base::Counted(days, "day", "days"), limit.maximum_days, limit.certificate),
           "shorten the profile's validity, or have the policy changed"});
    }
  }
}

void CheckWindows(const script::Inputs& inputs, Plan& plan) {
  constexpr const char* kRule = "PLAN-WINDOW-01";
  constexpr std::uint64_t kSecondsPerMinute = 60;
  std::size_t next = 0;
  for (const script::Section& section : inputs.script.sections) {
    std::uint64_t seconds = 0;
    for (std::size_t i = 0; i < section.steps.size() && next < plan.steps.size(); ++i)
      seconds += plan.steps[next++].seconds;
    const auto warn = static_cast<std::uint64_t>(inputs.policy.window.warn_minutes) * kSecondsPerMinute;
    if (seconds <= warn) continue;
    plan.findings.push_back(
        {GradeOf(inputs.policy, kRule, Severity::kGoodPractice), kRule, "", inputs.script.file.name,
         fmt::format("section {} is estimated to take {}, the policy warns at {} and stops at {}", section.id,
                     base::Counted((seconds + kSecondsPerMinute - 1) / kSecondsPerMinute, "minute", "minutes"),
                     inputs.policy.window.warn_minutes, inputs.policy.window.stop_minutes),
         "divide the section in two"});
  }
}

void CheckDepartures(const script::Inputs& inputs, Plan& plan) {
  constexpr const char* kRule = "PLAN-DEPART-01";
  const script::Quorum* witnesses = inputs.roster ? inputs.roster->FindQuorum(script::kRecordQuorum) : nullptr;
  std::size_t number = 0;
  for (const script::Section& section : inputs.script.sections) {
    for (const script::Step& step : section.steps) {
      ++number;
      if (step.kind != "room.depart") continue;
      for (const auto& role : step.fields.List("roles")) {
        const auto& name = role.get_ref<const std::string&>();
        const auto later = std::find_if(plan.steps.begin(), plan.steps.end(), [&](const StepPlan& each) {
          return each.number > number && each.people.contains(name);
        });
        const bool signs = witnesses != nullptr && script::NameOf(witnesses->role) == name;
        if (later == plan.steps.end() && !signs) continue;
        plan.findings.push_back({GradeOf(inputs.policy, kRule, Severity::kGoodPractice), kRule, step.id,
                                 inputs.script.Where(step, "roles"),
                                 fmt::format("people of role {} may leave, and {}", name,
                                             later != plan.steps.end() ? fmt::format("step {} needs them", later->id)
                                                                       : std::string("they sign the closed record")),
                                 "let them leave later, or see that enough of them stay"});
      }
    }
  }
}

}  // namespace ceremony::steps
