// Tbs is the to-be-signed part of a certificate, made from a profile. It is the
// first link of a chain of types that ends in a certificate:
//
//   BuildTbs -> Tbs -> LintTbs -> LintedTbs -> CompareTbs -> ComparedTbs
//            -> (people approve its digest) ApproveTbs -> ApprovedTbs
//            -> (the token signs) FinishCertificate -> Certificate
//
// A signing function takes an ApprovedTbs, which nothing but this chain can
// make: what was not linted, compared and approved does not compile.
#ifndef CEREMONY_X509_TBS_H_
#define CEREMONY_X509_TBS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "ceremony/x509/name.h"
#include "ceremony/x509/open_values.h"
#include "ceremony/x509/profile.h"
#include "ceremony/x509/view.h"
#include "hsm/base/bytes.h"
#include "hsm/base/digest.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

// Authority is the issuing CA, as its own certificate names it.
struct Authority {
  base::Bytes name;            // DER Name: the issuer field is these bytes
  base::Bytes key_identifier;  // its subjectKeyIdentifier
  base::Bytes serial;          // of its certificate, content octets; with issuer_name for the
  base::Bytes issuer_name;     // AKI form that has both
};

// TbsInput is what a certificate needs beyond its profile.
struct TbsInput {
  base::PublicKey subject_key;
  std::optional<Authority> authority = std::nullopt;  // nullopt: self-signed
  SubjectValues subject = {};
  base::Bytes serial = {};      // content octets, as SerialFromRandom makes them
  std::int64_t not_before = 0;  // seconds since 1970 UTC
  OpenExtensions extensions = {};
  AlternativeNames alternative_names = {};
};

// SerialFromRandom makes a positive serial number of exactly `random.size()`
// octets from random octets: the top bit is cleared, the next one set, so that
// no octet is ever redundant; 8 * size - 2 bits stay random.
base::Bytes SerialFromRandom(base::ByteView random);

// KeyIdentifier is the subjectKeyIdentifier of a key (RFC 5280 section
// 4.2.1.2): method 1 gives 20 octets, method 2 gives 8.
base::Bytes KeyIdentifier(base::ByteView public_key_bits, unsigned method);

// Tbs owns bytes and their decoded view. Copies share both.
class Tbs final {
 public:
  // Parse takes bytes that must be strict DER of a TBSCertificate, for resuming
  // from a record. kCorrupt with the first finding otherwise.
  static base::Result<Tbs> Parse(base::ByteView bytes);

  base::ByteView der() const;
  const TbsView& view() const;
  // Digest is what people approve: SHA-256 of the bytes.
  base::Sha256Digest Digest() const;

 private:
  struct State;
  explicit Tbs(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

// CheckKeyAllowed refuses with TBS-KEY-01 a key whose algorithm is not among the profile's.
base::Result<void> CheckKeyAllowed(const Profile& profile, base::KeyAlgorithm algorithm);

// BuildTbs makes the bytes. Refusals: those of BuildName; PROFILE-* of
// CheckProfile; TBS-KEY-01 the key's algorithm is not among the profile's;
// TBS-SERIAL-01 the serial is not positive or not of the profile's size;
// TBS-AUTHORITY-01 an authority for a self-signed profile, or none for another;
// TBS-EXT-01 a value that is missing, not open, or not DER; TBS-TIME-01 dates
// out of range.
base::Result<Tbs> BuildTbs(const Profile& profile, const TbsInput& input);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_TBS_H_
