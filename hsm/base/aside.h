// Aside is how work is done on a second thread while a ceremony goes on: what is
// begun aside decides nothing, asks nobody and writes no entry. It computes
// (digests, seals), or makes what nobody else looks at before it is finished; its
// result, and its error, are taken where they would have been without it.
#ifndef HSM_BASE_ASIDE_H_
#define HSM_BASE_ASIDE_H_

#include <signal.h>

#include <future>
#include <type_traits>
#include <utility>

namespace base {

// SignalsHeld keeps every signal from this thread, and from threads that it begins,
// as long as it lives: they are for the thread that asks people.
class SignalsHeld final {
 public:
  SignalsHeld();
  ~SignalsHeld();
  SignalsHeld(const SignalsHeld&) = delete;  // the mask is put back once
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_;
};

// Aside begins `compute` on a thread of its own; where there is none to be had, it
// runs when the result is asked for. The future waits for its end, so what `compute`
// refers to must outlive the future.
template <typename Compute>
std::future<std::invoke_result_t<Compute>> Aside(Compute compute) {
  const SignalsHeld held;
  return std::async(std::launch::async | std::launch::deferred, std::move(compute));
}

}  // namespace base

#endif  // HSM_BASE_ASIDE_H_
