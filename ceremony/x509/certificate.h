// Certificate is a certificate that our own strict decoder accepts. Fields spell
// its contents, for people and for comparing two decoders.
#ifndef CEREMONY_X509_CERTIFICATE_H_
#define CEREMONY_X509_CERTIFICATE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/x509/view.h"
#include "hsm/base/bytes.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

struct ExtensionFields {
  std::string name;  // or dotted OID
  std::string oid;   // dotted
  bool critical = false;
  std::string text;  // for people: "keyCertSign, cRLSign"; hex if the type is unknown
  std::string der_hex;
};

// Fields spell everything in a certificate or TBS.
struct Fields {
  unsigned version = 0;
  std::string serial_hex;           // content octets
  std::string signature_algorithm;  // "ecdsa-with-SHA256", or hex of an unknown AlgorithmIdentifier
  std::string issuer;               // NameText
  std::string not_before;           // "2026-11-21 05:17:45 UTC"
  std::string not_after;
  std::string subject;
  std::string issuer_der_hex;
  std::string subject_der_hex;
  std::string key_algorithm;  // "EC P-256"
  std::string spki_der_hex;
  std::string spki_sha256;  // hex
  std::vector<ExtensionFields> extensions;
};

// FieldsOf spells a view; it never fails, malformed parts come out as hex.
Fields FieldsOf(const TbsView& tbs);

// KeyText spells the algorithm of a key: "EC P-256", "RSA 4096"; the OID if it is unknown.
std::string KeyText(const SpkiView& spki);

// ExtensionText spells the value of one extension for people.
std::string ExtensionText(const ExtensionView& extension);

// Certificate owns its bytes and their view. Copies share both.
class Certificate final {
 public:
  // Parse accepts exactly one strict DER certificate of RFC 5280 section 4.1
  // (rules DER-*, FORM-* and the like; not the whole lint). kCorrupt with the
  // first finding otherwise.
  static base::Result<Certificate> Parse(base::ByteView der);
  // FromPem takes exactly one CERTIFICATE block (RFC 7468); what stands before
  // and after it must be white space.
  static base::Result<Certificate> FromPem(std::string_view pem);

  base::ByteView der() const;
  const CertificateView& view() const;
  const TbsView& tbs() const { return view().tbs; }
  Fields fields() const { return FieldsOf(tbs()); }
  // Pem is RFC 7468: 64 characters a line, LF.
  std::string Pem() const;
  std::string Sha256Hex() const;  // of the DER: its fingerprint
  // SubjectKey is the key as base::PublicKey, which judges it once more.
  base::Result<base::PublicKey> SubjectKey() const;

  // VerifiedBy checks the signature in software. kCorrupt when it does not
  // verify, kUnsupported for an algorithm that is not in the table.
  base::Result<void> VerifiedBy(const base::PublicKey& issuer_key) const;

 private:
  struct State;
  explicit Certificate(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_CERTIFICATE_H_
