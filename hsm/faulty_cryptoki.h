// FaultyCryptoki makes one chosen call fail, lose its answer, or be the last one
// of the process. The fault sweep runs a ceremony again and again with it.
//
// A FaultPlan is shared by all modules of a run, so that a call's number names
// one call of the whole run. A first run with an empty plan counts the calls and
// says which functions they are; PlausibleErrors says what each may return.
#ifndef HSM_FAULTY_CRYPTOKI_H_
#define HSM_FAULTY_CRYPTOKI_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "hsm/intercepting_cryptoki.h"

namespace hsm {

struct Fault {
  enum class Kind : std::uint8_t {
    kFailInstead,   // the call is not made and `rv` is returned
    kFailAfter,     // the call is made, its outputs stand, and `rv` is returned all the same
    kGoneFromHere,  // this call and every later one on any module is not made and returns `rv`
    kKillBefore,    // the process ends before the call
    kKillAfter,     // the process ends after it, before anybody hears of it
  };
  std::uint64_t call = 0;  // the first call of the run is 1
  Kind kind = Kind::kFailInstead;
  CK_RV rv = CKR_DEVICE_ERROR;
};

class FaultPlan final {
 public:
  FaultPlan() = default;
  explicit FaultPlan(Fault fault) : faults_{fault} {}
  explicit FaultPlan(std::vector<Fault> faults) : faults_(std::move(faults)) {}
  FaultPlan(const FaultPlan&) = delete;  // it counts for all modules of one run
  FaultPlan& operator=(const FaultPlan&) = delete;

  // calls lists the functions that were called so far, in order; call i is calls()[i - 1].
  std::span<const Function> calls() const { return calls_; }
  // struck says whether a fault came to pass.
  bool struck() const { return struck_; }

 private:
  friend class FaultyCryptoki;
  CK_RV Run(Function function, const InnerCall& call);

  std::vector<Fault> faults_;
  std::vector<Function> calls_;
  std::optional<CK_RV> gone_;
  bool struck_ = false;
};

class FaultyCryptoki final : public InterceptingCryptoki {
 public:
  FaultyCryptoki(std::unique_ptr<CryptokiApi> inner, std::shared_ptr<FaultPlan> plan)
      : InterceptingCryptoki(std::move(inner)), plan_(std::move(plan)) {}

 protected:
  CK_RV Around(Function function, const InnerCall& call) override;

 private:
  std::shared_ptr<FaultPlan> plan_;
};

// PlausibleErrors lists what a token may answer to a function when it, its
// driver or a person does something wrong (PKCS#11 2.40 section 5.1), the most
// telling first; never empty, never CKR_OK.
std::span<const CK_RV> PlausibleErrors(Function function);

}  // namespace hsm

#endif  // HSM_FAULTY_CRYPTOKI_H_
