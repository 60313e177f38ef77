// The PKCS#11 numbers of our key algorithms: one table for generation, look-up, signing and the search for a destroyed
// key.
#ifndef HSM_KEY_PAIR_MECHANISM_H_
#define HSM_KEY_PAIR_MECHANISM_H_

#include "hsm/base/public_key.h"
#include "hsm/cryptoki.h"

namespace hsm {

// KeyUsage is what the private (or secret) key may do; the public half may do
// the counterpart. Everything else is stated as false.
struct KeyUsage {
  bool sign = false;
  bool unwrap = false;
  bool derive = false;
};
inline constexpr KeyUsage kSigningUsage{.sign = true};
inline constexpr KeyUsage kUnwrappingUsage{.unwrap = true};
inline constexpr KeyUsage kDerivingUsage{.derive = true};

struct KeyPairMechanism {
  base::KeyFamily family;
  CK_KEY_TYPE key_type;         // PKCS#11 v2.40 sections 2.1.1 and 2.3.3, v3.0 section 2.3.5
  CK_MECHANISM_TYPE generates;  // CKM_EC_KEY_PAIR_GEN
  CK_MECHANISM_TYPE signs;      // over what the host has hashed, where the family hashes at all: CKM_ECDSA
  KeyUsage possible;            // what such a key can be used for at all
};

const KeyPairMechanism& KeyPairMechanismOf(base::KeyAlgorithm algorithm);

// Two ways to say Ed25519 in CKA_EC_PARAMS, as DER: OBJECT IDENTIFIER 1.3.101.112 (RFC 8410), and PrintableString
// "edwards25519" (PKCS#11 3.0 section 2.3.10).
inline constexpr std::uint8_t kEd25519Oid[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
inline constexpr std::uint8_t kEd25519Name[] = {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'};

}  // namespace hsm

#endif  // HSM_KEY_PAIR_MECHANISM_H_
