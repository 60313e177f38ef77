// The numbers of an RSA public key, as tokens take them.
#ifndef HSM_BASE_RSA_NUMBERS_H_
#define HSM_BASE_RSA_NUMBERS_H_

#include "hsm/base/public_key.h"

namespace base {

// Big-endian, without leading zeros.
struct RsaNumbers {
  Bytes modulus;
  Bytes exponent;
};

// RsaNumbersOf is empty for a key that is not RSA.
RsaNumbers RsaNumbersOf(const PublicKey& key);

}  // namespace base

#endif  // HSM_BASE_RSA_NUMBERS_H_
