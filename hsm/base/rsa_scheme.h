// The RSA signature schemes: one table of padding and digest that signing on a
// token, verifying in software and the algorithms of certificates all read.
#ifndef HSM_BASE_RSA_SCHEME_H_
#define HSM_BASE_RSA_SCHEME_H_

#include "hsm/base/digest.h"
#include "hsm/base/public_key.h"

namespace base {

// kPss is RSASSA-PSS with MGF1 of the same digest and a salt of its size (RFC 4055 section 3.1).
enum class RsaPadding : std::uint8_t { kPkcs1, kPss };

struct RsaSchemeFacts {
  SignatureScheme scheme;
  RsaPadding padding;
  DigestAlgorithm digest;
};
// FindRsaScheme returns nullptr for a scheme that is not of RSA.
const RsaSchemeFacts* FindRsaScheme(SignatureScheme scheme);

}  // namespace base

#endif  // HSM_BASE_RSA_SCHEME_H_
