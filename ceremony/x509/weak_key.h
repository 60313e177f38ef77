// Keys that look sound and are not: one place that the lint, the import of
// requests and the step that generates keys all ask. Form (size, exponent, a
// point on its curve) is judged before, by base::PublicKey and X509-KEY-*.
#ifndef CEREMONY_X509_WEAK_KEY_H_
#define CEREMONY_X509_WEAK_KEY_H_

#include <vector>

#include "ceremony/x509/curves.h"
#include "ceremony/x509/finding.h"
#include "hsm/base/bytes.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

// CheckRsaModulus reports at `where`:
//   KEY-WEAK-01  the fingerprint of CVE-2017-15361 (ROCA): for each of 38 small
//                primes the modulus is a power of 65537. One sound modulus in
//                about 2^27 has it by chance.
//   KEY-WEAK-02  a prime factor below 752
//   KEY-WEAK-03  primes so close that Fermat's method finds them in 100 rounds; a square is the closest
// The modulus is big-endian; leading zeros are allowed.
void CheckRsaModulus(base::ByteView modulus, base::ByteView where, Findings& findings);

// CheckEcPoint reports KEY-WEAK-04 at `where` for a point (04 || x || y) of the
// curve whose private key is 1, 2 or 3, or one of these negated: keys of
// examples and of broken generators.
void CheckEcPoint(const Curves& curves, base::Curve curve, base::ByteView point, base::ByteView where,
                  Findings& findings);

// RefuseWeakKey refuses with the first finding's rule and all sentences.
base::Result<void> RefuseWeakKey(const base::PublicKey& key);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_WEAK_KEY_H_
