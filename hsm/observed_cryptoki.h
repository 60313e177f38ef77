// ObservedCryptoki times every call and tells a CallObserver.
#ifndef HSM_OBSERVED_CRYPTOKI_H_
#define HSM_OBSERVED_CRYPTOKI_H_

#include <memory>

#include "hsm/intercepting_cryptoki.h"
#include "hsm/observer.h"

namespace hsm {

// Module puts one around every module it is given; nobody else needs to.
class ObservedCryptoki final : public InterceptingCryptoki {
 public:
  ObservedCryptoki(std::unique_ptr<CryptokiApi> inner, std::shared_ptr<CallObserver> observer)
      : InterceptingCryptoki(std::move(inner)), observer_(std::move(observer)) {}

 protected:
  CK_RV Around(Function function, const InnerCall& call) override;

 private:
  std::shared_ptr<CallObserver> observer_;
};

}  // namespace hsm

#endif  // HSM_OBSERVED_CRYPTOKI_H_
