// The DER SubjectPublicKeyInfo of an RSA key (RFC 3279 section 2.3.1), byte for byte.
#ifndef HSM_BASE_RSA_SPKI_H_
#define HSM_BASE_RSA_SPKI_H_

#include "hsm/base/bytes.h"
#include "hsm/base/result.h"
#include "hsm/base/rsa_numbers.h"

namespace base {

// RsaSpki spells numbers without leading zeros.
Bytes RsaSpki(ByteView modulus, ByteView exponent);

// ReadRsaSpki finds the numbers, without leading zeros. It accepts loose forms of lengths: the caller encodes the
// numbers again and compares. kInvalidInput when it is no RSA key.
Result<RsaNumbers> ReadRsaSpki(ByteView spki);

}  // namespace base

#endif  // HSM_BASE_RSA_SPKI_H_
