// Consequential calls: the one place where the observer stands before and after.
#ifndef HSM_CONSEQUENTIAL_H_
#define HSM_CONSEQUENTIAL_H_

#include <chrono>
#include <string>
#include <utility>

#include "hsm/observer.h"
#include "hsm/session.h"

namespace hsm {

// PlanCall fills number, function, token and session of a ConsequentialCall.
ConsequentialCall PlanCall(Session& session, Function function);

// TimedCall makes the call, and puts its return value and time into the outcome.
template <typename F>
CK_RV TimedCall(CallOutcome& outcome, F&& call) {
  const auto start = std::chrono::steady_clock::now();
  outcome.rv = std::forward<F>(call)();
  outcome.duration = std::chrono::steady_clock::now() - start;
  return outcome.rv;
}

// FinishCall tells the observer. An error of the observer is returned rather than that of the operation, and mentions
// it.
Result<void> FinishCall(CallObserver& observer, const ConsequentialCall& call, CallOutcome& outcome,
                        const Error* failure);

// Perform asks the observer, runs `body` (Result<T>(CallOutcome&): the call,
// with TimedCall, and its read-back) and tells the observer the outcome.
// `body` is not run when Before vetoes; After comes whatever body returns.
template <typename T, typename F>
Result<T> Perform(CallObserver& observer, const ConsequentialCall& call, F&& body) {
  KC_RETURN_IF_ERROR(observer.Before(call));
  CallOutcome outcome;
  Result<T> result = std::forward<F>(body)(outcome);
  KC_RETURN_IF_ERROR(FinishCall(observer, call, outcome, result.ok() ? nullptr : &result.error()));
  return result;
}

}  // namespace hsm

#endif  // HSM_CONSEQUENTIAL_H_
