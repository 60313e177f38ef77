#include "ceremony/x509/crl.h"

#include <algorithm>

#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/issue_parts.h"
#include "ceremony/x509/pem.h"

namespace ceremony::x509 {
struct TbsCertList::State {
  base::Bytes der;
  TbsCertListView view;
};

base::Result<TbsCertList> TbsCertList::Parse(base::ByteView bytes) {
  KC_ASSIGN_OR_RETURN(auto state, parts::Parsed<State>("to-be-signed CRL", bytes, ParseTbsCertList));
  return TbsCertList(std::move(state));
}

base::ByteView TbsCertList::der() const { return state_->der; }
const TbsCertListView& TbsCertList::view() const { return state_->view; }
base::Sha256Digest TbsCertList::Digest() const { return base::Sha256Of(base::ByteView(state_->der)); }

struct Crl::State {
  base::Bytes der;
  CrlView view;
};

base::Result<Crl> Crl::Parse(base::ByteView der) {
  KC_ASSIGN_OR_RETURN(auto state, parts::Parsed<State>("CRL", der, ParseCrl));
  return Crl(std::move(state));
}

base::Result<Crl> Crl::FromPem(std::string_view pem) {
  KC_ASSIGN_OR_RETURN(const base::Bytes der, PemDecode("X509 CRL", pem));
  return Parse(der);
}

base::ByteView Crl::der() const { return state_->der; }
const CrlView& Crl::view() const { return state_->view; }
std::string Crl::Pem() const { return PemEncode("X509 CRL", state_->der); }
std::string Crl::Sha256Hex() const { return base::Sha256Hex(base::ByteView(state_->der)); }

std::optional<std::uint64_t> Crl::Number() const {
  const ExtensionView* extension = tbs().Find(Oid::kCrlNumber);
  if (extension == nullptr) return std::nullopt;
  const Header header = ReadElement(extension->value);
  base::ByteView octets = header.element.content;
  if (header.element.identifier != tag::kInteger || octets.empty() || (octets[0] & 0x80U) != 0) return std::nullopt;
  while (!octets.empty() && octets[0] == 0) octets = octets.subspan(1);
  if (octets.size() > 8) return std::nullopt;
  std::uint64_t number = 0;
  for (const std::uint8_t octet : octets) number = number << 8 | octet;
  return number;
}

bool Crl::Revokes(base::ByteView serial) const {
  Findings findings(state_->der);
  RevokedReader entries(tbs().revoked, findings);
  while (const auto entry = entries.Next()) {
    const bool own = entry->issuer.empty() || std::ranges::equal(entry->issuer, tbs().issuer);
    if (own && std::ranges::equal(entry->serial, serial)) return true;
  }
  return false;
}

base::Result<void> Crl::VerifiedBy(const base::PublicKey& issuer_key) const {
  const CrlView& all = view();
  return parts::Verify({all.tbs.whole, &all.tbs.signature, &all.algorithm, all.signature, all.signature_unused_bits},
                       issuer_key);
}

}  // namespace ceremony::x509
