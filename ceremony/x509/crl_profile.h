// CrlProfile is the shape of a CRL or ARL as data: what a CRL profile file says
// (scripts/profiles/*.crl-profile.json), read by ceremony/script/crl_profile.h.
#ifndef CEREMONY_X509_CRL_PROFILE_H_
#define CEREMONY_X509_CRL_PROFILE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/x509/finding.h"
#include "ceremony/x509/profile.h"
#include "ceremony/x509/signature_algorithm.h"
#include "hsm/base/public_key.h"

namespace ceremony::x509 {

// CRLReason (RFC 5280 section 5.3.1); 7 is not used.
enum class RevocationReason : std::uint8_t {
  kUnspecified = 0,
  kKeyCompromise = 1,
  kCaCompromise = 2,
  kAffiliationChanged = 3,
  kSuperseded = 4,
  kCessationOfOperation = 5,
  kCertificateHold = 6,
  kRemoveFromCrl = 8,
  kPrivilegeWithdrawn = 9,
  kAaCompromise = 10,
};
struct RevocationReasonFacts {
  RevocationReason reason;
  std::string_view name;  // as RFC 5280 spells it: "cACompromise"
};
std::span<const RevocationReasonFacts> RevocationReasons();
// RevocationReasonName is the name, or "reason 7" for a number that has none.
std::string RevocationReasonName(std::uint32_t reason);
std::optional<RevocationReason> FindRevocationReason(std::string_view name);

// How long after thisUpdate the next CRL comes at the latest.
struct CrlInterval {
  unsigned years = 0;
  unsigned months = 0;
  unsigned days = 0;
  unsigned hours = 0;
};
// CrlIntervalText says it for people: "1 year", "12 hours".
std::string CrlIntervalText(const CrlInterval& interval);

// Which certificates a CRL is about; all when none is set (RFC 5280 section 5.2.5).
enum class CrlScope : std::uint8_t { kAll, kUserCertificates, kCaCertificates };
std::string_view CrlScopeName(CrlScope scope);  // "all", "user-certificates", "ca-certificates"

// IssuingDistributionPointRule is critical wherever it stands. kCaCertificates makes the CRL an ARL.
struct IssuingDistributionPointRule {
  CrlScope scope = CrlScope::kAll;
  std::string uri;  // fullName; empty for none
};

enum class Use : std::uint8_t { kForbidden, kOptional, kRequired };

struct CrlProfile {
  std::string name;    // "smki-arl"
  std::string title;   // for people
  std::string clause;  // the clause of the certificate policy it implements
  CrlInterval next_update;
  std::vector<base::KeyAlgorithm> key_algorithms;  // of the issuer's key
  SignatureAlgorithm signature_algorithm = SignatureAlgorithm::kEcdsaSha256;
  AuthorityKeyForm authority_key = AuthorityKeyForm::kKeyIdentifier;
  std::optional<IssuingDistributionPointRule> issuing_distribution_point;
  std::vector<RevocationReason> reasons;  // that an entry may give; unspecified is to give none
  Use reason = Use::kRequired;
  Use invalidity_date = Use::kOptional;

  // Lists tells whether certificates of CAs (`ca`), or those of others, are in the scope of such a list.
  bool Lists(bool ca) const;
};

// CheckCrlProfile finds where a profile contradicts itself or RFC 5280 (PROFILE-14,
// PROFILE-04). Offsets are 0. Empty means good.
std::vector<Finding> CheckCrlProfile(const CrlProfile& profile);

// CheckCrlProfileAgainst finds what the profile of the CA that is to issue such
// CRLs does not allow: no cRLSign (PROFILE-12), keys that do not make the
// signature (PROFILE-13), no subjectKeyIdentifier (PROFILE-15).
std::vector<Finding> CheckCrlProfileAgainst(const CrlProfile& profile, const Profile& issuer);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_CRL_PROFILE_H_
