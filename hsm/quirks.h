// Quirks is what is peculiar to a module: the one table of it. Code asks the
// row, never the module's name.
#ifndef HSM_QUIRKS_H_
#define HSM_QUIRKS_H_

#include <span>
#include <string_view>

#include "hsm/cryptoki.h"

namespace hsm {

// How a module wants the parameters of Ed25519 (CKA_EC_PARAMS).
enum class EdwardsParams : std::uint8_t {
  kPrintableString,  // PKCS#11 3.0: "edwards25519"
  kOid,              // RFC 8410: 1.3.101.112
};

// How a module wants a point handed to it (CKA_EC_POINT, ECDH's public data).
// What it gives back is accepted in both forms everywhere.
enum class PointForm : std::uint8_t { kWrapped, kRaw };

inline constexpr CK_MECHANISM_TYPE kSha256AndSha1[] = {CKM_SHA256, CKM_SHA_1};

// Quirks is a row of the table, which says only where a module departs from the
// standard, and the way to the module that the path tells of.
struct Quirks {
  std::string_view name;            // "softhsm-2": for messages, records and tests
  std::string_view manufacturer{};  // CK_INFO.manufacturerID begins with it; empty: any
  std::string_view description{};   // CK_INFO.libraryDescription has it in it; empty: any

  EdwardsParams edwards_params = EdwardsParams::kPrintableString;
  PointForm ecdh_point = PointForm::kRaw;          // CK_ECDH1_DERIVE_PARAMS.pPublicData
  PointForm template_point = PointForm::kWrapped;  // CKA_EC_POINT in C_CreateObject
  // The mechanism number that is RFC 5649 here.
  CK_MECHANISM_TYPE kwp_mechanism = CKM_AES_KEY_WRAP_KWP;
  // Hashes that RSA-OAEP really does, best first.
  std::span<const CK_MECHANISM_TYPE> oaep_hashes = kSha256AndSha1;
  // Attributes that C_GenerateKeyPair and C_GenerateKey refuse in a template;
  // they are left out, and still read back.
  std::span<const CK_ATTRIBUTE_TYPE> unwanted_attributes{};
  // Attributes that the module gets wrong, or does not have, for every key that
  // it makes: they are read for the record, and not compared.
  std::span<const CK_ATTRIBUTE_TYPE> unreliable_attributes{};
  // C_UnwrapKey of an EC key must be given its point as CKA_NSS_DB.
  bool unwrap_needs_nss_db = false;
  // C_GetAttributeValue writes the whole value whatever size the buffer has: it
  // must never get one before it said the size.
  bool overruns_short_buffers = false;
  // C_WrapKey hands out a key whose CKA_EXTRACTABLE was set to false.
  bool seal_is_not_kept = false;
  // C_WrapKey refuses an Edwards key, whatever its attributes say.
  bool wraps_no_edwards = false;
  // Sizes of a PIN where the token's own limits are wrong or too wide; 0: as it says.
  CK_ULONG pin_min = 0;
  CK_ULONG pin_max = 0;
  // The module's path says so: it talks to a server, and a write to a dead one
  // raises SIGPIPE, which must be ignored. False in every row.
  bool remoted = false;
  // The module's path says so: it writes every call, PINs in clear, into a log,
  // and is for no production token. False in every row.
  bool spies = false;
};

// QuirksOf returns the row for a module, the last row (of a well-behaved one)
// if no other fits, with what the path tells of the way to it.
Quirks QuirksOf(std::string_view manufacturer, std::string_view description, std::string_view path);

// AllQuirks is the table, for documents and tests.
std::span<const Quirks> AllQuirks();

}  // namespace hsm

#endif  // HSM_QUIRKS_H_
