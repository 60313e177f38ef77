// Quirks is what is peculiar to a module: one table. Code asks the row, never
// the module's name.
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

inline constexpr CK_MECHANISM_TYPE kSha256AndSha1[] = {CKM_SHA256, CKM_SHA_1};

// KeyQuirks is what is peculiar in the keys that a module holds.
struct KeyQuirks {
  // Attributes of PKCS#11 that no object of the module has.
  std::span<const CK_ATTRIBUTE_TYPE> missing_attributes{};
  // Attributes that C_UnwrapKey sets without regard to its template. They are set again afterwards, by a call that
  // other modules do not need.
  std::span<const CK_ATTRIBUTE_TYPE> ignored_on_unwrap{};
  // What C_GetAttributeValue returns for an object that a cut has torn, besides the return values of the standard.
  std::span<const CK_RV> torn_objects{};
};

// Limits is what a module cannot do at all. It is refused before people are asked.
struct Limits {
  // C_GenerateKeyPair makes no key that may leave: it refuses CKA_EXTRACTABLE true.
  bool no_extractable_keys = false;
  // The module refuses CKA_TOKEN false. Every key stays on the token, so that each trial leaves a trace.
  bool no_session_keys = false;
  // C_InitToken takes the present SO PIN of the token and no other, which on a new token is that of its maker, and
  // does not change it: only the maker's tool initialises such a token. After C_InitToken a token that was in use has
  // no SO login (openCryptoki 3.8: CKR_FUNCTION_FAILED), so that no user PIN can be set.
  bool factory_so_pin = false;
};

// Quirks is one row of the table. A row says only where the module departs from the standard; `spies` is of the path.
struct Quirks {
  std::string_view name;            // "softhsm-2": for messages, records and tests
  std::string_view manufacturer{};  // start of CK_INFO.manufacturerID; empty: any
  std::string_view description{};   // part of CK_INFO.libraryDescription; empty: any

  EdwardsParams edwards_params = EdwardsParams::kPrintableString;
  // The mechanism number that is RFC 5649 here.
  CK_MECHANISM_TYPE kwp_mechanism = CKM_AES_KEY_WRAP_KWP;
  // Hashes that RSA-OAEP really does, best first.
  std::span<const CK_MECHANISM_TYPE> oaep_hashes = kSha256AndSha1;
  // Attributes that C_GenerateKeyPair and C_GenerateKey refuse in a template.
  // They are left out, and still read back.
  std::span<const CK_ATTRIBUTE_TYPE> unwanted_attributes{};
  // Attributes that are wrong or missing on every key that the module makes.
  // They are read for the record, and not compared.
  std::span<const CK_ATTRIBUTE_TYPE> unreliable_attributes{};
  // C_UnwrapKey needs the point of an EC key as CKA_NSS_DB.
  bool unwrap_needs_nss_db = false;
  // C_GetAttributeValue writes the whole value whatever size the buffer has. The
  // size must be asked first.
  bool overruns_short_buffers = false;
  // C_WrapKey hands out a key whose CKA_EXTRACTABLE was set to false.
  bool seal_is_not_kept = false;
  // C_WrapKey refuses an Edwards key, whatever its attributes say.
  bool wraps_no_edwards = false;
  // Sizes of a PIN where the token's own limits are wrong or too wide; 0: as it says.
  CK_ULONG pin_min = 0;
  CK_ULONG pin_max = 0;
  // The module writes every call into a log, PINs in clear. It is never for a production token. False in every row.
  bool spies = false;

  KeyQuirks keys{};
  Limits limits{};
};

// QuirksOf returns the row of a module, or the last row, of a well-behaved module. It sets `spies` by the path.
Quirks QuirksOf(std::string_view manufacturer, std::string_view description, std::string_view path);

// AllQuirks is the table, for documents and tests.
std::span<const Quirks> AllQuirks();

// SpeaksOfOneObject tells whether the return value of a call on an object is about that object alone, so that the
// others can still be read: an invalid handle, an attribute with a wrong value, and what this module is known to
// return for a torn object. Any other value may be about the token, the session or the login, and ends an inventory.
bool SpeaksOfOneObject(const Quirks& quirks, CK_RV rv);

}  // namespace hsm

#endif  // HSM_QUIRKS_H_
