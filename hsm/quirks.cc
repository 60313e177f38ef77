#include "hsm/quirks.h"

#include <algorithm>

namespace hsm {
namespace {

constexpr CK_MECHANISM_TYPE kSha1Only[] = {CKM_SHA_1};
// Attributes of 2.40 that 2.20 did not have.
constexpr CK_ATTRIBUTE_TYPE kSince240[] = {CKA_COPYABLE, CKA_DESTROYABLE};
// openCryptoki 3.8 shows it on no key.
constexpr CK_ATTRIBUTE_TYPE kGenMechanism[] = {CKA_KEY_GEN_MECHANISM};
// openCryptoki 3.8 lacks these of 2.20, too.
constexpr CK_ATTRIBUTE_TYPE kNotInOpenCryptoki38[] = {CKA_COPYABLE, CKA_DESTROYABLE, CKA_WRAP_WITH_TRUSTED,
                                                      CKA_ALWAYS_AUTHENTICATE};
// NSS 3.87 reports CKA_LOCAL as false for a key that it made itself.
constexpr CK_ATTRIBUTE_TYPE kOrigin[] = {CKA_LOCAL, CKA_KEY_GEN_MECHANISM, CKA_MODULUS_BITS};
// A TPM key has one bit for SIGN and ENCRYPT and one for DECRYPT and VERIFY:
// stated for both halves of a pair they contradict each other.
constexpr CK_ATTRIBUTE_TYPE kTpmBits[] = {CKA_VERIFY, CKA_ENCRYPT};

// NSS 3.87 has it on no object.
constexpr CK_ATTRIBUTE_TYPE kPublicKeyInfo[] = {CKA_PUBLIC_KEY_INFO};
// NSS 3.87 lets every EC key that comes in recover and derive.
constexpr CK_ATTRIBUTE_TYPE kRecoverAndDerive[] = {CKA_SIGN_RECOVER, CKA_DERIVE};
constexpr CK_ATTRIBUTE_TYPE kSealing[] = {CKA_SENSITIVE, CKA_EXTRACTABLE};

// SoftHSM 2.6.1 gives it when attributes that an object must have cannot be written to its torn file, or one that is
// encrypted does not decrypt (SoftHSM.cpp newP11Object, P11Attributes.cpp retrieve).
constexpr CK_RV kGeneralError[] = {CKR_GENERAL_ERROR};

constexpr Quirks kTable[] = {
    {.name = "softhsm-2",
     .manufacturer = "SoftHSM",
     .description = "Implementation of PKCS11",
     .edwards_params = EdwardsParams::kOid,
     .kwp_mechanism = CKM_AES_KEY_WRAP_PAD,  // its 0x210A is RFC 5649
     .oaep_hashes = kSha1Only,
     .wraps_no_edwards = true,  // 2.6.1 wraps RSA, DSA, DH and EC keys: CKR_KEY_NOT_WRAPPABLE
     .pin_min = 4,
     .pin_max = 255,
     .keys = {.torn_objects = kGeneralError}},
    {.name = "nss-softoken",
     .manufacturer = "Mozilla Foundation",
     .description = "NSS",
     .unwanted_attributes = kSince240,
     .unreliable_attributes = kOrigin,
     .unwrap_needs_nss_db = true,
     .overruns_short_buffers = true,
     .seal_is_not_kept = true,
     .keys = {.missing_attributes = kPublicKeyInfo, .ignored_on_unwrap = kRecoverAndDerive}},
    {.name = "kryoptic", .manufacturer = "Kryoptic"},
    {.name = "opencryptoki-3.8",
     .manufacturer = "IBM",
     .description = "Meta PKCS11 LIBRARY",
     .edwards_params = EdwardsParams::kOid,
     .unwanted_attributes = kNotInOpenCryptoki38,
     .unreliable_attributes = kGenMechanism,
     .pin_min = 4,
     .pin_max = 8,
     .limits = {.factory_so_pin = true}},
    {.name = "opencryptoki",
     .manufacturer = "IBM",
     .description = "openCryptoki",
     .edwards_params = EdwardsParams::kOid,
     .pin_min = 4,
     .pin_max = 8,
     .keys = {.ignored_on_unwrap = kSealing},
     .limits = {.factory_so_pin = true}},
    {.name = "tpm2-pkcs11",
     .manufacturer = "tpm2-software.github.io",
     .edwards_params = EdwardsParams::kOid,
     .unwanted_attributes = kTpmBits,
     .limits = {.no_extractable_keys = true, .no_session_keys = true}},
    // A module that does what PKCS#11 3.0 says; it stays last.
    {.name = "standard"},
};

std::string_view FileNameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

Quirks QuirksOf(std::string_view manufacturer, std::string_view description, std::string_view path) {
  const Quirks* row = &kTable[std::size(kTable) - 1];
  for (const Quirks& candidate : kTable) {
    if (manufacturer.starts_with(candidate.manufacturer) &&
        description.find(candidate.description) != std::string_view::npos) {
      row = &candidate;
      break;
    }
  }
  Quirks quirks = *row;
  const std::string_view file = FileNameOf(path);
  quirks.spies = file.find("spy") != std::string_view::npos || file.find("logger") != std::string_view::npos;
  return quirks;
}

std::span<const Quirks> AllQuirks() { return kTable; }

bool SpeaksOfOneObject(const Quirks& quirks, CK_RV rv) {
  static constexpr CK_RV kOfOneObject[] = {CKR_OBJECT_HANDLE_INVALID,  CKR_KEY_HANDLE_INVALID,
                                           CKR_ATTRIBUTE_READ_ONLY,    CKR_ATTRIBUTE_SENSITIVE,
                                           CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID};
  const std::span<const CK_RV> torn = quirks.keys.torn_objects;
  return std::ranges::find(kOfOneObject, rv) != std::end(kOfOneObject) || std::ranges::find(torn, rv) != torn.end();
}

}  // namespace hsm
