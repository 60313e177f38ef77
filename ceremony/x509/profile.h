// Profile is the shape of a certificate as data: what a profile file
// (scripts/profiles/*.profile.json) says, read by ceremony/script/profile.h.
// BuildTbs makes certificates from it, CompareWithProfile holds them against it.
#ifndef CEREMONY_X509_PROFILE_H_
#define CEREMONY_X509_PROFILE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ceremony/x509/finding.h"
#include "ceremony/x509/signature_algorithm.h"
#include "hsm/base/bytes.h"
#include "hsm/base/public_key.h"

namespace ceremony::x509 {

// How a value of a name is encoded. kBitString takes its value as hexadecimal
// digits (an EUI-64 in 2.5.4.45), the others as text.
enum class StringEncoding : std::uint8_t { kPrintableString, kUtf8String, kIa5String, kBitString };

// One attribute of the subject; each stands in an RDN of its own, in this order.
struct AttributeRule {
  std::string type;  // "CN", "OU", ... or a dotted OID
  StringEncoding encoding = StringEncoding::kUtf8String;
  std::optional<std::string> value;  // fixed; without it the ceremony script gives one
  std::size_t max_length = 64;       // characters (bits for kBitString) of a value that the script gives
  bool optional = false;             // may be left out when the script gives no value
};

// RelativeValidity lasts exactly this long, both ends included (RFC 5280
// section 4.1.2.5): notAfter is one second before notBefore + years + months + days.
struct RelativeValidity {
  unsigned years = 0;
  unsigned months = 0;
  unsigned days = 0;
};
// FixedValidity states both ends, seconds since 1970 UTC.
struct FixedValidity {
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
};
// IndefiniteValidity ends at 99991231235959Z (RFC 5280 section 4.1.2.5).
struct IndefiniteValidity {};
using Validity = std::variant<RelativeValidity, FixedValidity, IndefiniteValidity>;

struct BasicConstraintsRule {
  bool ca = false;
  std::optional<unsigned> path_length;
};
struct KeyUsageRule {
  std::uint16_t bits = 0;  // of KeyUsageBit
};
struct PolicyRule {
  std::string oid;               // dotted
  std::string cps_uri;           // qualifier id-qt-cps; empty for none
  std::string user_notice = {};  // qualifier id-qt-unotice, its explicitText as UTF8String; empty for none
};
struct CertificatePoliciesRule {
  std::vector<PolicyRule> policies;
};
// Method 1 is SHA-1 of the key bits (20 octets), method 2 is 0100 and its last
// 60 bits (8 octets); RFC 5280 section 4.2.1.2.
struct SubjectKeyIdentifierRule {
  unsigned method = 1;
};
// The key identifier of the issuer alone, or its name and serial number too.
enum class AuthorityKeyForm : std::uint8_t { kKeyIdentifier, kKeyIdentifierIssuerAndSerial };
struct AuthorityKeyIdentifierRule {
  AuthorityKeyForm form = AuthorityKeyForm::kKeyIdentifier;
};
struct ExtendedKeyUsageRule {
  std::vector<std::string> purposes;  // names or dotted OIDs
};
// Names that subjectAltName and others are made of. kHardwareModule is the
// otherName hardwareModuleName of RFC 4108, whose serial number is an EUI-64.
enum class GeneralNameKind : std::uint8_t { kDns, kEmail, kUri, kIp, kHardwareModule };
std::string_view GeneralNameKindName(GeneralNameKind kind);  // "dNSName", "hardwareModuleName"

struct AlternativeNameRule {
  GeneralNameKind kind = GeneralNameKind::kDns;
  std::optional<std::string> value = std::nullopt;  // without it the ceremony script gives one
  std::string hardware_type = {};                   // dotted OID, of kHardwareModule
};
struct SubjectAltNameRule {
  std::vector<AlternativeNameRule> names;
};
struct CrlDistributionPointsRule {
  std::vector<std::string> uris;  // one distribution point each
};
struct AccessRule {
  std::string method;  // "ocsp" or "caIssuers"
  std::string uri;
};
struct AuthorityInfoAccessRule {
  std::vector<AccessRule> descriptions;
};
struct SubtreeRule {
  GeneralNameKind kind = GeneralNameKind::kDns;
  std::string value;  // an address with its prefix: "192.0.2.0/24"
};
struct NameConstraintsRule {
  std::vector<SubtreeRule> permitted;
  std::vector<SubtreeRule> excluded;
};
// Any other extension: its value as DER, fixed here or given by the script.
struct RawExtensionRule {
  std::optional<base::Bytes> der;
};

struct ExtensionRule {
  std::string type;  // name ("basicConstraints") or dotted OID
  bool critical = false;
  bool optional = false;  // RawExtensionRule only: left out when the script gives no value
  std::variant<BasicConstraintsRule, KeyUsageRule, CertificatePoliciesRule, SubjectKeyIdentifierRule,
               AuthorityKeyIdentifierRule, ExtendedKeyUsageRule, SubjectAltNameRule, CrlDistributionPointsRule,
               AuthorityInfoAccessRule, NameConstraintsRule, RawExtensionRule>
      value;
};

struct Profile {
  std::string name;    // "smki-root-oca"
  std::string title;   // for people
  std::string clause;  // the clause of the certificate policy it implements
  std::string kind;    // "root", "issuing", ...: the operator's word, by which a policy limits validity
  bool self_signed = false;
  std::vector<AttributeRule> subject;
  Validity validity = RelativeValidity{};
  unsigned serial_octets = 16;  // exactly; positive; from the token's RNG
  std::vector<base::KeyAlgorithm> key_algorithms;
  SignatureAlgorithm signature_algorithm = SignatureAlgorithm::kEcdsaSha256;
  std::vector<ExtensionRule> extensions;  // encoded in this order; no others are allowed
};

// Bits of keyUsage (RFC 5280 section 4.2.1.3): bit i of the BIT STRING is 1 << i.
enum KeyUsageBit : std::uint16_t {
  kDigitalSignature = 1 << 0,
  kNonRepudiation = 1 << 1,
  kKeyEncipherment = 1 << 2,
  kDataEncipherment = 1 << 3,
  kKeyAgreement = 1 << 4,
  kKeyCertSign = 1 << 5,
  kCrlSign = 1 << 6,
  kEncipherOnly = 1 << 7,
  kDecipherOnly = 1 << 8,
};
// KeyUsageNames holds the nine names, by bit number: profiles and texts use them.
std::span<const std::string_view> KeyUsageNames();
// KeyUsageText joins the names of the bits set: "keyCertSign, cRLSign".
std::string KeyUsageText(std::uint16_t bits);

// Names of the encodings as profiles and texts spell them ("PrintableString").
std::string_view StringEncodingName(StringEncoding encoding);
std::optional<StringEncoding> FindStringEncoding(std::string_view name);

// CheckProfile finds where a profile contradicts itself or RFC 5280, so that
// `check` refuses it before anybody travels. Offsets are 0. Empty means good.
std::vector<Finding> CheckProfile(const Profile& profile);

// CheckProfileAgainst finds where a profile contradicts that of the CA that is to
// issue it: a path length that leaves no room (PROFILE-10), a longer validity, as
// far as the day of issue does not decide it (PROFILE-11), no keyCertSign
// (PROFILE-12), keys that do not make its signature (PROFILE-13), no
// subjectKeyIdentifier where authorityKeyIdentifier asks for it (PROFILE-15).
std::vector<Finding> CheckProfileAgainst(const Profile& profile, const Profile& issuer);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_PROFILE_H_
