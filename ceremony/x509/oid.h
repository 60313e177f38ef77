// Every object identifier we know by name, in one table that encoding,
// decoding, lint and profiles all read.
#ifndef CEREMONY_X509_OID_H_
#define CEREMONY_X509_OID_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

enum class Oid : std::uint8_t {
  // Attribute types of names (X.520; RFC 5280 appendix A).
  kCommonName,
  kSurname,
  kSerialNumber,
  kCountry,
  kLocality,
  kState,
  kStreet,
  kOrganization,
  kOrganizationalUnit,
  kTitle,
  kGivenName,
  kInitials,
  kGenerationQualifier,
  kUniqueIdentifier,
  kDnQualifier,
  kPseudonym,
  kOrganizationIdentifier,
  kUserId,
  kDomainComponent,
  kEmailAddress,
  // Extensions of certificates and CRLs.
  kSubjectKeyIdentifier,
  kKeyUsage,
  kPrivateKeyUsagePeriod,
  kSubjectAltName,
  kIssuerAltName,
  kBasicConstraints,
  kCrlNumber,
  kReasonCode,
  kInvalidityDate,
  kDeltaCrlIndicator,
  kIssuingDistributionPoint,
  kCertificateIssuer,
  kNameConstraints,
  kCrlDistributionPoints,
  kCertificatePolicies,
  kPolicyMappings,
  kAuthorityKeyIdentifier,
  kPolicyConstraints,
  kExtendedKeyUsage,
  kFreshestCrl,
  kInhibitAnyPolicy,
  kAuthorityInfoAccess,
  kQcStatements,
  kSubjectInfoAccess,
  kWrappedApexContinKey,
  kPrecertificatePoison,
  kSignedCertificateTimestamps,
  // Attributes of certification requests.
  kExtensionRequest,
  kChallengePassword,
  // Values inside extensions.
  kAnyPolicy,
  kCpsQualifier,
  kUserNoticeQualifier,
  kOcsp,
  kCaIssuers,
  kHardwareModuleName,
  kAnyExtendedKeyUsage,
  kServerAuth,
  kClientAuth,
  kCodeSigning,
  kEmailProtection,
  kTimeStamping,
  kOcspSigning,
  // Keys and curves.
  kEcPublicKey,
  kP256,
  kP384,
  kP521,
  kRsaEncryption,
  kRsaPss,
  kEd25519,
  kEd448,
  // Signatures and digests.
  kEcdsaSha1,
  kEcdsaSha256,
  kEcdsaSha384,
  kEcdsaSha512,
  kMd5Rsa,
  kSha1Rsa,
  kSha256Rsa,
  kSha384Rsa,
  kSha512Rsa,
  kMgf1,
  kSha1,
  kSha256,
  kSha384,
  kSha512,
  kCount
};

struct OidFacts {
  Oid oid;
  std::string_view dotted;      // "2.5.4.3"
  std::string_view name;        // as the standards spell it: "commonName", "basicConstraints"
  std::string_view short_name;  // as names are written (RFC 4514): "CN"; empty for most
};

const OidFacts& FactsOf(Oid oid);
std::span<const OidFacts> Oids();

// ContentOf returns the content octets of the DER encoding (no tag, no length).
base::ByteView ContentOf(Oid oid);

// FindOid looks content octets up; it allocates nothing.
std::optional<Oid> FindOid(base::ByteView content);

// FindOidByName takes a name, a short name or a dotted OID, as profiles do.
std::optional<Oid> FindOidByName(std::string_view name);

// EncodeOid turns a dotted OID into content octets; kInvalidInput unless it is
// "a.b.c..." with decimal arcs below 2^64, a <= 2 and b <= 39 where a < 2.
base::Result<base::Bytes> EncodeOid(std::string_view dotted);

// OidContent takes what FindOidByName or EncodeOid takes.
base::Result<base::Bytes> OidContent(std::string_view name);

// DottedOid spells content octets; arcs of any size. Octets that are no valid
// OID, or are more than 64, come out as "invalid:<hex>".
std::string DottedOid(base::ByteView content);

// OidText is the name if the table has it, else the dotted form.
std::string OidText(base::ByteView content);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_OID_H_
