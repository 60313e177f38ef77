// PassingCryptoki passes every call on: what derives from it plays a module that is peculiar in the calls that it
// overrides.
#ifndef TESTS_SUPPORT_PASSING_CRYPTOKI_H_
#define TESTS_SUPPORT_PASSING_CRYPTOKI_H_

#include "hsm/intercepting_cryptoki.h"

namespace support {

class PassingCryptoki : public hsm::InterceptingCryptoki {
 public:
  using InterceptingCryptoki::InterceptingCryptoki;

 protected:
  CK_RV Around(hsm::Function, const hsm::InnerCall& call) override { return call(); }
};

}  // namespace support

#endif  // TESTS_SUPPORT_PASSING_CRYPTOKI_H_
