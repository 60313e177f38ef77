#include "hsm/observed_cryptoki.h"

#include <chrono>

namespace hsm {

CK_RV ObservedCryptoki::Around(Function function, const InnerCall& call) {
  const auto start = std::chrono::steady_clock::now();
  const CK_RV rv = call();
  observer_->Called(function, rv, std::chrono::steady_clock::now() - start);
  return rv;
}

}  // namespace hsm
