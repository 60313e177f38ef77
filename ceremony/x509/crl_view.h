// Views of a CRL's parts (RFC 5280 section 5.1), by our own strict decoder. As
// in view.h nothing is copied: every view points into the bytes that were parsed.
#ifndef CEREMONY_X509_CRL_VIEW_H_
#define CEREMONY_X509_CRL_VIEW_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "ceremony/x509/finding.h"
#include "ceremony/x509/view.h"
#include "hsm/base/bytes.h"

namespace ceremony::x509 {

// RevokedView is one entry of revokedCertificates.
struct RevokedView {
  static constexpr std::size_t kMostExtensions = 8;

  base::ByteView whole;
  base::ByteView serial;  // content octets of the INTEGER
  base::ByteView issuer;  // Name of the CA whose certificate it is, where a certificateIssuer gives it for this entry
                          // or one before it (RFC 5280 section 5.3.3); empty: the CRL's own
  TimeView revoked_at;
  std::array<ExtensionView, kMostExtensions> extension_list;
  std::size_t extension_count = 0;

  std::span<const ExtensionView> extensions() const { return {extension_list.data(), extension_count}; }
  const ExtensionView* Find(Oid oid) const;
};

struct TbsCertListView {
  static constexpr std::size_t kMostExtensions = 16;

  base::ByteView whole;
  unsigned version = 1;  // 1 or 2
  AlgorithmView signature;
  base::ByteView issuer;  // whole Name
  TimeView this_update;
  std::optional<TimeView> next_update;
  base::ByteView revoked_whole;  // the SEQUENCE; empty when absent
  base::ByteView revoked;        // its content: RevokedReader hands out the entries
  std::size_t revoked_count = 0;
  base::ByteView extensions_whole;  // the [0] element; empty when absent
  std::array<ExtensionView, kMostExtensions> extension_list;
  std::size_t extension_count = 0;

  std::span<const ExtensionView> extensions() const { return {extension_list.data(), extension_count}; }
  const ExtensionView* Find(Oid oid) const;
};

struct CrlView {
  base::ByteView whole;
  TbsCertListView tbs;
  AlgorithmView algorithm;   // outside of the TBS
  base::ByteView signature;  // bits of the BIT STRING, without the unused-bits octet
  unsigned signature_unused_bits = 0;
};

// ParseTbsCertList and ParseCrl hold the bytes to DER (CheckDer) and to the
// ASN.1 of RFC 5280 section 5.1, entries included. As ParseCertificate: bytes
// are good when they return true and `findings` is still empty.
bool ParseTbsCertList(base::ByteView bytes, TbsCertListView& view, Findings& findings);
bool ParseCrl(base::ByteView bytes, CrlView& view, Findings& findings);

// RevokedReader returns the entries of a CRL in order; it stops where the bytes
// are malformed. Faults of an entry go to the findings.
class RevokedReader final {
 public:
  RevokedReader(base::ByteView revoked, Findings& findings) : rest_(revoked), findings_(&findings) {}
  std::optional<RevokedView> Next();

 private:
  base::ByteView rest_;
  base::ByteView issuer_;  // in force
  Findings* findings_;
};

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_CRL_VIEW_H_
