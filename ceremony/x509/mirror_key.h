// The negated public key: same x, private key n - d.
#ifndef CEREMONY_X509_MIRROR_KEY_H_
#define CEREMONY_X509_MIRROR_KEY_H_

#include <optional>

#include "hsm/base/public_key.h"

namespace ceremony::x509 {

// MirrorOf returns the key whose point is the negative of this one's. Whoever has one of the two private keys (d, and
// n - d where n is the order of the curve) has the other, so they count as one key. nullopt for RSA, where another
// exponent is refused (CSR-KEY-02).
std::optional<base::PublicKey> MirrorOf(const base::PublicKey& key);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_MIRROR_KEY_H_
