// What PKCS#11 calls the algorithms of our keys: one table, which generation,
// look-up, signing and the search for a destroyed key all read.
#ifndef HSM_KEY_PAIR_MECHANISM_H_
#define HSM_KEY_PAIR_MECHANISM_H_

#include "hsm/base/public_key.h"
#include "hsm/cryptoki.h"
#include "hsm/keygen.h"

namespace hsm {

struct KeyPairMechanism {
  base::KeyFamily family;
  CK_KEY_TYPE key_type;         // PKCS#11 v2.40 sections 2.1.1 and 2.3.3, v3.0 section 2.3.5
  CK_MECHANISM_TYPE generates;  // CKM_EC_KEY_PAIR_GEN
  CK_MECHANISM_TYPE signs;      // over what the host has hashed, where the family hashes at all: CKM_ECDSA
  KeyUsage possible;            // what such a key can be used for at all
};

const KeyPairMechanism& KeyPairMechanismOf(base::KeyAlgorithm algorithm);

}  // namespace hsm

#endif  // HSM_KEY_PAIR_MECHANISM_H_
