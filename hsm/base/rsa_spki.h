// The DER SubjectPublicKeyInfo of an RSA key (RFC 3279 section 2.3.1), byte for byte.
#ifndef HSM_BASE_RSA_SPKI_H_
#define HSM_BASE_RSA_SPKI_H_

#include "hsm/base/bytes.h"
#include "hsm/base/result.h"
#include "hsm/base/rsa_numbers.h"

namespace base {

// StripZeros takes leading zeros off a big-endian number.
ByteView StripZeros(ByteView bytes);

// RsaSpki spells numbers without leading zeros.
Bytes RsaSpki(ByteView modulus, ByteView exponent);

// ReadRsaSpki finds the numbers, without leading zeros. Lenient on length forms: the caller spells them again
// and compares, so that the strict form is written down once. kInvalidInput when it is no RSA key.
Result<RsaNumbers> ReadRsaSpki(ByteView spki);

}  // namespace base

#endif  // HSM_BASE_RSA_SPKI_H_
