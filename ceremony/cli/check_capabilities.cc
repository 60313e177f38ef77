#include "ceremony/cli/check_capabilities.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/script/capability_file.h"
#include "ceremony/steps/mechanism_needs.h"

namespace ceremony::cli {
namespace {

// Which of the script's tokens a sheet is of.
base::Result<std::string> TokenOf(const std::string& named, const script::CapabilityFile& sheet,
                                  const script::Inputs& inputs, const estate::Estate& estate) {
  const auto refuse = [&](const std::string& why) {
    std::string names;
    for (const script::ScriptToken& token : inputs.script.tokens) names += (names.empty() ? "" : ", ") + token.name;
    return base::MakeError(base::ErrorCode::kInvalidInput, fmt::format("{}: {}", sheet.file.name, why))
        .WithHint(fmt::format("name the token with --capabilities TOKEN=FILE; the script has {}",
                              names.empty() ? "none" : names));
  };
  if (!named.empty()) {
    if (inputs.script.FindToken(named) != nullptr) return named;
    return refuse(fmt::format("the script has no token {}", named));
  }
  for (const script::ScriptToken& token : inputs.script.tokens) {
    const estate::Token* known = estate.FindToken(token.name);
    const script::TokenBinding* bound = inputs.binding ? inputs.binding->Find(token.name) : nullptr;
    const bool by_serial = !sheet.serial.empty() && ((known != nullptr && known->serial == sheet.serial) ||
                                                     (bound != nullptr && bound->serial == sheet.serial));
    // A label names a token only where nobody knows its serial.
    const bool by_label = bound != nullptr && bound->serial.empty() && known == nullptr && bound->label == sheet.label;
    if (by_serial || by_label) return token.name;
  }
  return refuse(fmt::format("no token of the script is known to be \"{}\" (serial {})", sheet.label, sheet.serial));
}

}  // namespace

base::Result<void> CheckCapabilities(const std::vector<std::string>& sheets, const script::Inputs& inputs,
                                     const estate::Estate& estate, steps::Plan& plan) {
  for (const std::string& argument : sheets) {
    const std::size_t equals = argument.find('=');
    const std::string named = equals == std::string::npos ? std::string() : argument.substr(0, equals);
    KC_ASSIGN_OR_RETURN(const script::CapabilityFile sheet,
                        script::ReadCapabilities(equals == std::string::npos ? argument : argument.substr(equals + 1)));
    KC_ASSIGN_OR_RETURN(const std::string token, TokenOf(named, sheet, inputs, estate));
    for (const steps::MechanismNeed& need : steps::MechanismsNeeded(inputs, estate, token)) {
      if (steps::IsMet(need, sheet.mechanisms)) continue;
      plan.findings.push_back(
          {x509::Severity::kBreach, "PLAN-MECH-01", "", sheet.file.name,
           fmt::format("token {} does not have {}, which is needed {}", token, steps::NamesOf(need), need.why),
           "the script cannot run on this token"});
    }
    const auto remark = [&](const std::string& message, const char* hint) {
      plan.findings.push_back({x509::Severity::kGoodPractice, "PLAN-MECH-02", "", sheet.file.name, message, hint});
    };
    if (!sheet.tried) {
      remark(fmt::format("the sheet of token {} has only what it claims", token),
             "have it tried: keyceremony token probe without --claims");
    }
    for (const std::string& finding : sheet.findings)
      remark(fmt::format("token {}: {}", token, finding), "find out from its maker before it is used");
  }
  return {};
}

}  // namespace ceremony::cli
