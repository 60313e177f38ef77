// The other public key of whoever has a private key.
#ifndef CEREMONY_X509_MIRROR_KEY_H_
#define CEREMONY_X509_MIRROR_KEY_H_

#include <optional>

#include "hsm/base/public_key.h"

namespace ceremony::x509 {

// MirrorOf returns the key whose point is the negative of this one's: it has the same x, and its private key is the
// order of the curve less the other. Nobody can have the one without the other, so that both are one key. nullopt for
// RSA (another exponent is refused: CSR-KEY-02).
std::optional<base::PublicKey> MirrorOf(const base::PublicKey& key);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_MIRROR_KEY_H_
