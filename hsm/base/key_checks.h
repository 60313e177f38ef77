// Whether the numbers of a public key are one that may be used. Each check reports
// kInvalidInput with what is wrong, kInternal when libcrypto could not do its part.
#ifndef HSM_BASE_KEY_CHECKS_H_
#define HSM_BASE_KEY_CHECKS_H_

#include <string>

#include "hsm/base/bytes.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"

namespace base {

// InvalidKey and LibraryFailed are the errors about a public key: its own fault, and libcrypto's in `call`.
Error InvalidKey(std::string message);
Error LibraryFailed(const char* call);

// CheckEcPoint wants an uncompressed point (0x04 || x || y) on the curve of `algorithm`, which is an EC one.
Result<void> CheckEcPoint(KeyAlgorithm algorithm, ByteView point);

// CheckEd25519 decodes as RFC 8032 5.1.3 does. Points of small order are refused
// too: a signature under them says nothing about who made it.
Result<void> CheckEd25519(ByteView raw);

// CheckRsa takes big-endian numbers without leading zeros: a modulus of one of our
// sizes, and an exponent of FIPS 186-5 section 5.1 (odd, above 2^16, below 2^256).
Result<KeyAlgorithm> CheckRsa(ByteView modulus, ByteView exponent);

}  // namespace base

#endif  // HSM_BASE_KEY_CHECKS_H_
