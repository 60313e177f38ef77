// Views of a certificate's parts, made by ParseTbs and ParseCertificate, our own
// decoder without OpenSSL. Nothing is allocated or copied; every view points into
// the bytes that were parsed.
#ifndef CEREMONY_X509_VIEW_H_
#define CEREMONY_X509_VIEW_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/finding.h"
#include "ceremony/x509/oid.h"
#include "hsm/base/bytes.h"

namespace ceremony::x509 {

struct AlgorithmView {
  base::ByteView whole;       // the AlgorithmIdentifier
  base::ByteView oid;         // content octets
  base::ByteView parameters;  // whole element; empty when absent
};

struct TimeView {
  std::uint8_t identifier = 0;  // tag::kUtcTime or tag::kGeneralizedTime
  base::ByteView whole;
  std::optional<std::int64_t> seconds;  // since 1970 UTC; nullopt when malformed
};

struct ExtensionView {
  base::ByteView whole;
  base::ByteView oid;  // content octets
  std::optional<Oid> known;
  bool critical = false;
  base::ByteView value;  // what extnValue holds
  bool sound = false;    // the value is DER as far as it can be taken apart
};

struct SpkiView {
  base::ByteView whole;
  AlgorithmView algorithm;
  base::ByteView bits;  // contents of subjectPublicKey without the unused-bits octet
};

struct TbsView {
  static constexpr std::size_t kMostExtensions = 32;

  base::ByteView whole;
  unsigned version = 1;   // 1, 2 or 3
  base::ByteView serial;  // content octets of the INTEGER
  AlgorithmView signature;
  base::ByteView issuer;  // whole Name
  TimeView not_before;
  TimeView not_after;
  base::ByteView subject;  // whole Name
  SpkiView spki;
  base::ByteView issuer_unique_id;  // whole element; empty when absent
  base::ByteView subject_unique_id;
  base::ByteView extensions_whole;  // the [3] element; empty when absent

  std::span<const ExtensionView> extensions() const { return {extension_list.data(), extension_count}; }
  // Find returns the first extension of this type, nullptr if there is none.
  const ExtensionView* Find(Oid oid) const;

  std::array<ExtensionView, kMostExtensions> extension_list;
  std::size_t extension_count = 0;
};

struct CertificateView {
  base::ByteView whole;
  TbsView tbs;
  AlgorithmView algorithm;   // outside of the TBS
  base::ByteView signature;  // bits of the BIT STRING, without the unused-bits octet
  unsigned signature_unused_bits = 0;
};

// ParseTbs and ParseCertificate check DER (CheckDer, also inside extension values)
// and the ASN.1 of RFC 5280 section 4.1. They go on after a mistake if they can;
// false means that `view` is incomplete. The bytes are good if they return true
// and `findings` is still empty.
bool ParseTbs(base::ByteView bytes, TbsView& view, Findings& findings);
bool ParseCertificate(base::ByteView bytes, CertificateView& view, Findings& findings);

// NameReader returns the attributes of a Name in order, for a Name that ParseTbs
// accepted without findings; it stops where the bytes are malformed.
struct AttributeView {
  base::ByteView whole;
  base::ByteView type;        // content octets of the OID
  std::uint8_t encoding = 0;  // identifier of the value: tag::kPrintableString, ...
  base::ByteView value;       // content octets
  bool first_of_rdn = false;
};
class NameReader final {
 public:
  explicit NameReader(base::ByteView name);
  std::optional<AttributeView> Next();

 private:
  base::ByteView rdns_;
  base::ByteView attributes_;
};

// IsSelfIssued compares issuer and subject byte by byte.
bool IsSelfIssued(const TbsView& tbs);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_VIEW_H_
