#include "ceremony/steps/token_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "ceremony/steps/mechanism_needs.h"
#include "hsm/describe.h"
#include "hsm/pin_rules.h"
#include "hsm/quirks.h"

namespace ceremony::steps {

base::Result<void> CheckMakes(const hsm::Token& token, bool extractable) {
  if (!extractable || !token.quirks().limits.no_extractable_keys) return {};
  return base::Refusal(
      "KEY-GEN-04",
      fmt::format("the key is to be extractable, and the module of {} makes no key that may leave", token.Name()),
      "say \"extractable\": false in the script, and do without a clone; or make the key elsewhere");
}

base::Result<void> CheckTakesPins(const hsm::TokenInfo& token, const hsm::Quirks& quirks,
                                  const script::PinPolicy& policy) {
  const hsm::PinSizes sizes = hsm::PinSizesOf(token, quirks);
  for (const int length : {policy.user_length, policy.so_length}) {
    const auto octets = static_cast<CK_ULONG>(length);
    if (octets >= sizes.least && octets <= sizes.most) continue;
    return base::Refusal("TOKEN-PIN-01",
                         fmt::format("the policy asks for PINs of {} characters, and the {} takes {}", length,
                                     token.Name(), sizes.InWords()),
                         "change \"pin\" in the policy; or let its maker's tool set the PINs: \"method\": \"vendor\"");
  }
  return {};
}

base::Result<void> CheckInitialises(const BlankToken& blank, const std::string& name, const script::Inputs& inputs) {
  const hsm::Quirks& quirks = blank.module->quirks();
  if (quirks.limits.factory_so_pin) {
    return base::Refusal("TOKEN-COMMISSION-03",
                         fmt::format("the {} takes the SO PIN of its maker and no other: its maker's tool alone "
                                     "initialises it",
                                     blank.info.Name()),
                         "initialise it with that tool before the ceremony, and say \"method\": \"vendor\"");
  }
  const script::TokenBinding* bound = inputs.binding ? inputs.binding->Find(name) : nullptr;
  if (bound != nullptr && bound->login == script::Login::kProtectedPath) return {};
  return CheckTakesPins(blank.info, quirks, inputs.policy.pin);
}

base::Result<void> CheckZeroises(const hsm::Token& token) {
  if (!token.quirks().limits.factory_so_pin) return {};
  return base::Refusal(
      "TOKEN-RETIRE-02",
      fmt::format("nobody can log in to {} after C_InitToken, and show that it is empty", token.Name()),
      "wipe it with its maker's tool, and retire it with \"method\": \"evidence\"");
}

base::Result<void> CheckMechanisms(hsm::Token& token, const std::vector<MechanismNeed>& needs,
                                   const std::string& hint) {
  KC_ASSIGN_OR_RETURN(const std::vector<CK_MECHANISM_TYPE> mechanisms, token.Mechanisms());
  std::set<std::string> has;
  for (const CK_MECHANISM_TYPE mechanism : mechanisms) has.insert(hsm::MechanismName(mechanism));
  for (const MechanismNeed& need : needs) {
    if (IsMet(need, has)) continue;
    return base::Refusal(
        "TOKEN-MECH-02",
        fmt::format("{} does not have the mechanism {}, which is needed {}", token.Name(), NamesOf(need), need.why),
        hint);
  }
  return {};
}

}  // namespace ceremony::steps
