#include "hsm/pin.h"

#include <fmt/format.h>

#include "hsm/consequential.h"
#include "hsm/describe.h"
#include "hsm/pin_rules.h"

namespace hsm {

Result<void> InitPin(Session& so_session, const base::SecretBytes& pin) {
  const Token& token = so_session.token();
  KC_RETURN_IF_ERROR(CheckPinPad(token.info(), pin, "TOKEN-INIT-03"));
  KC_RETURN_IF_ERROR(CheckPinSize(token.info(), token.quirks(), pin, "TOKEN-INIT-02"));
  ConsequentialCall call = PlanCall(so_session, Function::kInitPin);
  call.object = "user PIN";
  return Perform<void>(token.module().observer(), call, [&](CallOutcome& outcome) -> Result<void> {
    TimedCall(outcome, [&] { return so_session.api().InitPin(so_session.handle(), PinPointer(pin), pin.size()); });
    if (outcome.rv != CKR_OK)
      return CallError(Function::kInitPin, outcome.rv, "setting the user PIN of " + token.Name());
    return {};
  });
}

Result<void> SetPin(Session& session, const base::SecretBytes& old_pin, const base::SecretBytes& new_pin) {
  Token& token = session.token();
  KC_ASSIGN_OR_RETURN(const CK_STATE state, session.State());
  const bool officer = state == CKS_RW_SO_FUNCTIONS;
  if (old_pin.empty() != new_pin.empty()) {
    return base::MakeError(ErrorCode::kInvalidInput, "either both PINs are typed on the PIN pad or none is");
  }
  KC_RETURN_IF_ERROR(CheckPinPad(token.info(), old_pin, "TOKEN-LOGIN-04"));
  KC_RETURN_IF_ERROR(CheckPinSize(token.info(), token.quirks(), old_pin, "TOKEN-LOGIN-03"));
  KC_RETURN_IF_ERROR(CheckPinSize(token.info(), token.quirks(), new_pin, "TOKEN-INIT-02"));
  KC_RETURN_IF_ERROR(token.Refresh());
  KC_RETURN_IF_ERROR(CheckPinTries(token.info(), officer ? User::kSecurityOfficer : User::kUser));
  ConsequentialCall call = PlanCall(session, Function::kSetPin);
  call.object = officer ? "security officer PIN" : "user PIN";
  return Perform<void>(token.module().observer(), call, [&](CallOutcome& outcome) -> Result<void> {
    TimedCall(outcome, [&] {
      return session.api().SetPin(session.handle(), PinPointer(old_pin), old_pin.size(), PinPointer(new_pin),
                                  new_pin.size());
    });
    if (outcome.rv != CKR_OK) {
      return CallError(Function::kSetPin, outcome.rv, fmt::format("changing the {} of {}", call.object, token.Name()));
    }
    return {};
  });
}

}  // namespace hsm
