#include "ceremony/run/readiness.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "ceremony/run/kept_tokens.h"
#include "ceremony/steps/plan.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

base::Error ListBlocking(const steps::Plan& plan) {
  base::Error error;
  error.code = base::ErrorCode::kRefused;
  for (const steps::Finding& finding : plan.findings) {
    if (!finding.Blocks()) continue;
    if (error.rule.empty()) {
      error.rule = finding.rule;
      error.hint = finding.hint;
    }
    if (!error.message.empty()) error.message += '\n';
    error.message += fmt::format("{}: [{}] {}", finding.where, finding.rule, finding.message);
  }
  return error;
}

}  // namespace

base::Result<json> CheckPlan(const script::Inputs& inputs, const estate::Estate& estate) {
  const steps::Plan plan = steps::MakePlan(inputs, estate);
  if (plan.IsBlocked()) return ListBlocking(plan);
  json findings = json::array();
  for (const steps::Finding& finding : plan.findings) {
    json entry = {
        {"rule", finding.rule}, {"severity", x509::SeverityName(finding.severity)}, {"message", finding.message}};
    if (!finding.waived_by.empty()) entry["waived_by"] = finding.waived_by;
    findings.push_back(std::move(entry));
  }
  return findings;
}

base::Result<void> CheckMemory(World& world, const script::Inputs& inputs, json& findings) {
  base::Result<void> kept = world.check_secret_memory();
  if (kept.ok()) return {};
  if (inputs.binding->environment != script::Environment::kRehearsal || !world.has_stand_ins) return kept;
  const base::Error& error = kept.error();
  world.terminal.Say(room::Tone::kWarning,
                     fmt::format("[{}] {}. A rehearsal goes on; a ceremony would not. Way out: {}.", error.rule,
                                 error.message, error.hint));
  findings.push_back({{"rule", error.rule},
                      {"severity", x509::SeverityName(x509::Severity::kGoodPractice)},
                      {"message", error.message}});
  return {};
}

base::Result<json> MendTokens(World& world) {
  json mended = json::array();
  if (!world.mend_tokens) return mended;
  KC_ASSIGN_OR_RETURN(const std::vector<MendedToken> tokens, world.mend_tokens());
  for (const MendedToken& token : tokens) {
    if (token.sha256.empty()) {
      world.terminal.Say(room::Tone::kWarning,
                         fmt::format("SoftHSM was cut off while it made token {}. The rehearsal has removed what there "
                                     "was of it; a real token would need its maker's tool.",
                                     token.label));
      mended.push_back({{"what", "token-file-removed"},
                        {"label", token.label},
                        {"serial", token.serial},
                        {"torn_bytes", token.torn_bytes},
                        {"torn_sha256", token.torn_sha256}});
      continue;
    }
    world.terminal.Say(room::Tone::kWarning,
                       fmt::format("SoftHSM was cut off while it wrote the file of token {} and left {} bytes of it. "
                                   "The rehearsal has put its own copy back; for a real token nobody could.",
                                   token.label, token.torn_bytes));
    mended.push_back({{"what", "token-file-put-back"},
                      {"label", token.label},
                      {"serial", token.serial},
                      {"torn_bytes", token.torn_bytes},
                      {"torn_sha256", token.torn_sha256},
                      {"sha256", token.sha256}});
  }
  return mended;
}

}  // namespace ceremony::run
