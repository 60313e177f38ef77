// ECDSA signatures: the raw r||s of PKCS#11 (2.40 section 2.3.1) and the strict
// DER of RFC 3279 section 2.2.3 and X.690, low-S where we write them.
#ifndef HSM_BASE_ECDSA_SIGNATURE_H_
#define HSM_BASE_ECDSA_SIGNATURE_H_

#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace base {

enum class Curve : std::uint8_t { kP256, kP384, kP521 };

// RawToLowSDer turns r||s (each half of `raw`; modules pad differently, so
// leading zeros are stripped, then padded) into strict DER with s <= n/2.
// kCorrupt when the length is odd or zero, or r or s is not in [1, n-1].
Result<Bytes> RawToLowSDer(Curve curve, ByteView raw);

// CheckStrictLowSDer accepts exactly the bytes that RawToLowSDer can make:
// DER, minimal lengths and INTEGERs, r and s in [1, n-1], s <= n/2, nothing
// after. kCorrupt otherwise, saying which.
Result<void> CheckStrictLowSDer(Curve curve, ByteView der);

// CheckStrictDer is the same without s <= n/2: what others may sign.
Result<void> CheckStrictDer(Curve curve, ByteView der);

}  // namespace base

#endif  // HSM_BASE_ECDSA_SIGNATURE_H_
