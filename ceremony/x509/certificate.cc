#include "ceremony/x509/certificate.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/issue_parts.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/pem.h"
#include "ceremony/x509/verify_signature.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {

std::string KeyText(const SpkiView& spki) {
  const auto algorithm = FindOid(spki.algorithm.oid);
  if (algorithm == Oid::kEcPublicKey || algorithm == Oid::kEd25519) {
    for (const base::KeyAlgorithmFacts& facts : base::KeyAlgorithms()) {
      const base::ByteView curve = base::AsBytes(facts.curve_oid_der);
      const base::ByteView named =
          algorithm == Oid::kEd25519 ? base::ByteView(spki.algorithm.whole).subspan(2) : spki.algorithm.parameters;
      if (!curve.empty() && std::equal(curve.begin(), curve.end(), named.begin(), named.end()))
        return std::string(facts.title);
    }
  }
  if (algorithm == Oid::kRsaEncryption) {
    Findings findings(spki.bits);
    DerReader outer(spki.bits, "RSAPublicKey", findings);
    if (const auto sequence = outer.Take(tag::kSequence, "RSAPublicKey")) {
      DerReader parts(sequence->content, "RSAPublicKey", findings);
      if (const auto modulus = parts.Take(tag::kInteger, "modulus")) {
        base::ByteView octets = modulus->content;
        while (!octets.empty() && octets.front() == 0) octets = octets.subspan(1);
        std::size_t bits = octets.size() * 8;
        for (unsigned top = 0x80; !octets.empty() && (octets.front() & top) == 0; top >>= 1U) --bits;
        return fmt::format("RSA {}", bits);
      }
    }
  }
  return OidText(spki.algorithm.oid);
}

struct Certificate::State {
  base::Bytes der;
  CertificateView view;
};

Fields FieldsOf(const TbsView& tbs) {
  Fields fields;
  fields.version = tbs.version;
  fields.serial_hex = base::HexEncode(tbs.serial);
  fields.signature_algorithm = parts::AlgorithmText(tbs.signature.whole);
  fields.issuer = NameText(tbs.issuer);
  fields.not_before = parts::TimeText(tbs.not_before);
  fields.not_after = parts::TimeText(tbs.not_after);
  fields.subject = NameText(tbs.subject);
  fields.issuer_der_hex = base::HexEncode(tbs.issuer);
  fields.subject_der_hex = base::HexEncode(tbs.subject);
  fields.key_algorithm = KeyText(tbs.spki);
  fields.spki_der_hex = base::HexEncode(tbs.spki.whole);
  fields.spki_sha256 = base::Sha256Hex(tbs.spki.whole);
  for (const ExtensionView& extension : tbs.extensions()) {
    fields.extensions.push_back({OidText(extension.oid), DottedOid(extension.oid), extension.critical,
                                 ExtensionText(extension), base::HexEncode(extension.value)});
  }
  return fields;
}

base::Result<Certificate> Certificate::Parse(base::ByteView der) {
  KC_ASSIGN_OR_RETURN(auto state, parts::Parsed<State>("certificate", der, ParseCertificate));
  return Certificate(std::move(state));
}

base::Result<Certificate> Certificate::FromPem(std::string_view pem) {
  KC_ASSIGN_OR_RETURN(const base::Bytes der, PemDecode("CERTIFICATE", pem));
  return Parse(der);
}

base::ByteView Certificate::der() const { return state_->der; }
const CertificateView& Certificate::view() const { return state_->view; }
std::string Certificate::Pem() const { return PemEncode("CERTIFICATE", state_->der); }
std::string Certificate::Sha256Hex() const { return base::Sha256Hex(base::ByteView(state_->der)); }
base::Result<base::PublicKey> Certificate::SubjectKey() const { return base::PublicKey::FromSpki(tbs().spki.whole); }

base::Result<void> Certificate::VerifiedBy(const base::PublicKey& issuer_key) const {
  return VerifySignature(view(), view().signature, issuer_key);
}

}  // namespace ceremony::x509
