#include "hsm/key_pair_mechanism.h"

#include <algorithm>
#include <array>

namespace hsm {
namespace {

using base::KeyFamily;

constexpr std::array<KeyPairMechanism, 3> kMechanisms = {{
    {KeyFamily::kEc, CKK_EC, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, {.sign = true, .derive = true}},
    {KeyFamily::kEdwards, CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EDDSA, {.sign = true}},
    {KeyFamily::kRsa, CKK_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_PKCS, {.sign = true, .unwrap = true}},
}};

}  // namespace

const KeyPairMechanism& KeyPairMechanismOf(base::KeyAlgorithm algorithm) {
  return *std::ranges::find(kMechanisms, base::FactsOf(algorithm).family, &KeyPairMechanism::family);
}

}  // namespace hsm
