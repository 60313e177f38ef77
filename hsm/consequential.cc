#include "hsm/consequential.h"

namespace hsm {

ConsequentialCall PlanCall(Session& session, Function function) {
  ConsequentialCall call;
  call.number = session.token().module().observer().NextCallNumber();
  call.function = function;
  call.token_label = session.token().info().label;
  call.token_serial = session.token().info().serial;
  call.session = &session;
  return call;
}

Result<void> FinishCall(CallObserver& observer, const ConsequentialCall& call, CallOutcome& outcome,
                        const Error* failure) {
  // A failed call speaks through its rv; what went wrong after a good one must be said.
  if (failure != nullptr && outcome.rv == CKR_OK && outcome.problem.empty()) outcome.problem = failure->message;
  Result<void> told = observer.After(call, outcome);
  if (told.ok() || failure == nullptr) return told;
  Error error = std::move(told).error();
  error.message += " (after: " + failure->message + ")";
  return error;
}

}  // namespace hsm
