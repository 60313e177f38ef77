// CRLs, made in the same order of types as certificates (tbs.h):
//
//   BuildTbsCertList -> TbsCertList -> LintTbsCertList -> LintedCertList
//     -> CompareTbsCertList -> ComparedCertList
//     -> (people approve its digest) ApproveTbsCertList -> ApprovedCertList
//     -> (the token signs) FinishCrl -> Crl
//
// Each type can only be made by the function before it.
#ifndef CEREMONY_X509_CRL_H_
#define CEREMONY_X509_CRL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ceremony/x509/compare.h"
#include "ceremony/x509/crl_profile.h"
#include "ceremony/x509/crl_view.h"
#include "ceremony/x509/finding.h"
#include "ceremony/x509/tbs.h"
#include "hsm/base/bytes.h"
#include "hsm/base/digest.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

// Revocation is one certificate that a CRL revokes.
struct Revocation {
  base::Bytes serial;           // content octets, as its certificate has them
  std::int64_t revoked_at = 0;  // seconds since 1970 UTC
  std::optional<RevocationReason> reason = std::nullopt;
  std::optional<std::int64_t> invalid_since = std::nullopt;  // invalidityDate
};

// CrlInput is what a CRL needs beyond its profile.
struct CrlInput {
  Authority authority;           // as its own certificate names it
  std::int64_t this_update = 0;  // seconds since 1970 UTC
  std::uint64_t number = 0;
  std::optional<std::uint64_t> previous_number = std::nullopt;  // of the CRL before, if there was one
  std::vector<Revocation> revocations = {};                     // encoded in this order
};

// NextUpdateOf is thisUpdate and the interval; a day that does not exist
// (29 February) becomes the first day after it. kInvalidInput beyond 1950..9999.
base::Result<std::int64_t> NextUpdateOf(const CrlInterval& interval, std::int64_t this_update);

// TbsCertList owns bytes and their decoded view. Copies share both.
class TbsCertList final {
 public:
  // Parse takes bytes that must be strict DER of a TBSCertList, for resuming
  // from a record. kCorrupt with the first finding otherwise.
  static base::Result<TbsCertList> Parse(base::ByteView bytes);

  base::ByteView der() const;
  const TbsCertListView& view() const;
  // Digest is what people approve: SHA-256 of the bytes.
  base::Sha256Digest Digest() const;

 private:
  struct State;
  explicit TbsCertList(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

// BuildTbsCertList makes the bytes. Refusals: those of CheckCrlProfile;
// CRL-ORDER-01 the number is not above that of the CRL before; CRL-BUILD-01 a
// serial number that no certificate can have, or that stands twice; CRL-BUILD-02
// a reason or invalidity date that the profile forbids, or one that it requires
// and is not given; CRL-BUILD-03 times out of range or out of order;
// TBS-AUTHORITY-01 the authority has no name or key identifier, or not its own
// issuer and serial number where the profile wants them.
base::Result<TbsCertList> BuildTbsCertList(const CrlProfile& profile, const CrlInput& input);

// LintCertList and LintCrl run every rule over bytes; empty means good.
std::vector<Finding> LintCertListBytes(base::ByteView tbs);
std::vector<Finding> LintCrl(base::ByteView der);

// CompareCertListWithProfile is CompareWithProfile for CRLs; without `input`
// the times and the number are held to their shape alone.
Comparison CompareCertListWithProfile(const TbsCertListView& tbs, const CrlProfile& profile, const CrlInput* input,
                                      const std::uint8_t* file_start);

// CrlFields spell everything in a CRL.
struct CrlExtensionFields {
  std::string name;  // or dotted OID
  bool critical = false;
  std::string text;
  std::string der_hex;
};
struct RevokedFields {
  std::string serial_hex;
  std::string revoked_at;  // "2026-11-21 05:17:45 UTC"
  std::vector<CrlExtensionFields> extensions;
};
struct CrlFields {
  unsigned version = 0;
  std::string signature_algorithm;
  std::string issuer;  // NameText
  std::string issuer_der_hex;
  std::string this_update;
  std::string next_update;  // "(absent)"
  std::vector<RevokedFields> revoked;
  std::vector<CrlExtensionFields> extensions;
};
CrlFields CrlFieldsOf(const TbsCertListView& tbs);

// OpensslCrlFields decodes a CRL with OpenSSL alone, OpensslCertListFields a
// TBSCertList inside a CRL with an empty signature. kCorrupt when OpenSSL
// cannot, or encodes what it read as other bytes.
base::Result<CrlFields> OpensslCrlFields(base::ByteView crl_der);
base::Result<CrlFields> OpensslCertListFields(base::ByteView tbs_der);
// CompareCrlDecoders: `profile_says` is what OpenSSL reads, `certificate_has` what we read.
Comparison CompareCrlDecoders(const CrlFields& openssl, const CrlFields& ours);

// Crl is a CRL that our own strict decoder accepts. Copies share bytes and view.
class Crl final {
 public:
  // Parse accepts exactly one strict DER CRL of RFC 5280 section 5.1. kCorrupt
  // with the first finding otherwise. FromPem takes exactly one X509 CRL block.
  static base::Result<Crl> Parse(base::ByteView der);
  static base::Result<Crl> FromPem(std::string_view pem);

  base::ByteView der() const;
  const CrlView& view() const;
  const TbsCertListView& tbs() const { return view().tbs; }
  CrlFields fields() const { return CrlFieldsOf(tbs()); }
  std::string Pem() const;
  std::string Sha256Hex() const;  // of the DER
  // Number is cRLNumber; nullopt when absent or above 2^64-1.
  std::optional<std::uint64_t> Number() const;
  // Revokes tells whether an entry is about the certificate of the CRL's own issuer with this serial number (content
  // octets). An indirect CRL may have the same number of another CA.
  bool Revokes(base::ByteView serial) const;
  // VerifiedBy checks the signature in software, as Certificate::VerifiedBy.
  base::Result<void> VerifiedBy(const base::PublicKey& issuer_key) const;

 private:
  struct State;
  explicit Crl(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_CRL_H_
