// Effect is what one step does to the estate, as data. The same vocabulary
// serves three times: `check` applies the effects a step plans, the runner
// applies what really happened and writes it into the step's `end` entry, and
// the fold of the archive reads it back from there. `kName` is its name in entries.
#ifndef CEREMONY_ESTATE_EFFECT_H_
#define CEREMONY_ESTATE_EFFECT_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ceremony/estate/key_effects.h"
#include "ceremony/estate/token_effects.h"
#include "hsm/base/result.h"

namespace ceremony::estate {

// A token was initialised and taken into service under a logical name.
struct TokenCommissioned {
  static constexpr std::string_view kName = "token-commissioned";
  std::string token;   // logical name, as in scripts
  std::string label;   // CKA token label, without the padding blanks
  std::string serial;  // as the token reports it; empty while only planned
  std::string manufacturer;
  std::string model;
  std::string firmware;
  std::string role;    // "live", "backup", "audit"
  std::string domain;  // PKI domain: "organisation", "device", ...
};

// A key pair was generated on a token; its first copy is the original.
struct KeyCreated {
  static constexpr std::string_view kName = "key-created";
  std::string key;          // name, unique over the archive
  std::string algorithm;    // base::KeyAlgorithmFacts::name
  std::string usage;        // "sign"
  std::string spki_sha256;  // hex; empty while only planned
  std::string token;
  std::string serial;        // of the token; empty while only planned
  std::string object_id;     // CKA_ID, hex; empty while only planned
  bool extractable = false;  // may be wrapped out for a clone
};

// A certificate was signed by a key of the estate.
struct CertificateIssued {
  static constexpr std::string_view kName = "certificate-issued";
  std::string certificate;  // name, unique over the archive
  std::string profile;      // name of its profile
  std::string key;          // subject key: made here, or imported
  std::string issuer_key;   // the key that signed
  std::string subject;      // RFC 4514 text, for people
  std::string serial;       // hex; empty while only planned
  std::string not_before;   // RFC 3339; empty while only planned
  std::string not_after;    // RFC 3339; "9999-12-31T23:59:59Z" = no end
  std::string sha256;       // of the DER; empty while only planned
  std::string artefact;     // path below the record's artefacts/
  // Missing in records of 0.1.0:
  std::string issuer_certificate{};  // its issuer's, in the estate; its own name when self-signed
  std::string subject_der{};         // base64 of the DER Name
  std::string alternative_name{};    // text of subjectAltName; empty without one
  std::string spki_sha256{};         // hex; empty while only planned
  std::string subject_key_id{};      // hex; empty without one, or while only planned
  std::string key_usage{};           // "keyCertSign, cRLSign"; empty without the extension
  bool ca = false;                   // basicConstraints
  std::int64_t path_length = -1;     // -1: no limit
};

// A public key from outside was imported with its certificate request (PKCS#10).
struct KeyImported {
  static constexpr std::string_view kName = "key-imported";
  std::string key;               // name, unique over the archive
  std::string algorithm;         // base::KeyAlgorithmFacts::name
  std::string spki_sha256;       // hex
  std::string subject;           // RFC 4514 text: the key's owner
  std::string subject_der;       // base64 of the DER Name
  std::string alternative_name;  // as above
  std::string request_sha256;    // of the request's DER
  std::string artefact;          // the request, below the record's artefacts/
  // Base64 of the subjectAltName that the request asks for; empty without one.
  std::string alternative_name_der{};
};

// A certificate request was signed by a key of the estate, for a CA elsewhere.
struct RequestCreated {
  static constexpr std::string_view kName = "request-created";
  std::string request;  // name, unique over the archive
  std::string profile;
  std::string key;
  std::string subject;
  std::string subject_der;
  std::string alternative_name;
  std::string sha256;  // of the DER; empty while only planned
  std::string artefact;
};

// A certificate of the estate was revoked; a CRL says so.
struct CertificateRevoked {
  static constexpr std::string_view kName = "certificate-revoked";
  std::string certificate;
  std::string reason;  // "keyCompromise" (RFC 5280 section 5.3.1)
  std::string on;      // RFC 3339; empty while only planned
  std::string crl;     // name of the first CRL that lists it
};

// A CRL was signed by a key of the estate.
struct CrlIssued {
  static constexpr std::string_view kName = "crl-issued";
  std::string crl;  // name, unique over the archive
  std::string profile;
  std::string issuer_key;
  std::string issuer;      // RFC 4514 text: the CA's name
  std::string issuer_der;  // base64 of the DER Name
  std::string issuer_certificate;
  std::int64_t number = 0;   // grows strictly over all CRLs of one issuer (RFC 5280 section 5.2.3)
  std::string this_update;   // RFC 3339; empty while only planned
  std::string next_update;   // as above
  std::int64_t revoked = 0;  // number of certificates on it
  std::string sha256;        // of the DER; empty while only planned
  std::string artefact;
};

// The hash of an outside document was recorded.
struct DocumentLodged {
  static constexpr std::string_view kName = "document-lodged";
  std::string name;
  std::string kind;
  std::string sha256;  // empty while only planned
};

// A person took up a role with their own keys. Keys are base64 of the DER
// SubjectPublicKeyInfo, as in a roster.
struct PersonAppointed {
  static constexpr std::string_view kName = "person-appointed";
  std::string person;  // id; unique over the archive, never used again
  std::string name;
  std::string employer;
  std::string domain;  // PKI domain; empty: any
  std::string site;    // home site; empty: anywhere
  std::string role;    // "custodian"
  std::string sign_key;
  std::string open_key;
  std::string on;  // the day, "2026-11-21"; empty while only planned
};

// A person gave up the role. "leaving": they no longer count for a quorum. "left":
// they also hold nothing any more.
struct PersonRetired {
  static constexpr std::string_view kName = "person-retired";
  std::string person;
  std::string name;
  std::string state;  // "leaving" or "left"
  std::string reason;
  std::string on;  // as above
};

// ShareHolder is a person who holds a share of each of the two PINs of a token.
struct ShareHolder {
  std::string person;              // roster id
  std::string user_commitment;     // SHA-256, hex: of the share of the user PIN
  std::string officer_commitment;  // of the share of the security officer PIN
};

// The PINs of a token were set to those of a new share set. Every holder has
// confirmed their share, and the set before no longer opens anything. The files are
// artefacts of the record with this effect: shares/<token>/<set>/<person>.share.json.
struct SharesIssued {
  static constexpr std::string_view kName = "shares-issued";
  std::string token;
  std::string set;              // 32 hex digits; empty while only planned
  std::int64_t generation = 0;  // 1 for a token's first set; 0 while only planned
  std::string quorum;           // of the roster
  std::int64_t m = 0;           // this many holders together open the token
  std::vector<ShareHolder> holders;
};

using Effect =
    std::variant<TokenCommissioned, KeyCreated, CertificateIssued, DocumentLodged, PersonAppointed, PersonRetired,
                 SharesIssued, TokenRegistered, TokenVerified, SealsChanged, TokenMoved, TokenRetired, FirmwareChanged,
                 KeyCloned, KeySealed, KeyUsageStated, KeyDeactivated, KeyCompromised, CopyDestroyed, KeyDestroyed,
                 KeyImported, RequestCreated, CertificateRevoked, CrlIssued, TransportKeyCreated, KeyExported>;

// ToJson gives the object that stands in an entry: {"effect": "key-created", ...}.
nlohmann::json ToJson(const Effect& effect);

// EffectFromJson is its strict inverse: kCorrupt for a field that is unknown or
// missing. Only fields that a later release added may be missing.
base::Result<Effect> EffectFromJson(const nlohmann::json& object);

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_EFFECT_H_
