#include "ceremony/steps/key_proof.h"

#include <fmt/format.h>

#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/der_writer.h"
#include "ceremony/x509/signature_algorithm.h"
#include "hsm/base/encoding.h"
#include "hsm/base/random.h"
#include "hsm/sign.h"

namespace ceremony::steps {
namespace {

constexpr std::size_t kNonceBytes = 16;
constexpr std::uint8_t kAttributes = 0xa0;  // [0] IMPLICIT SET OF, RFC 2986 section 4.1
// unstructuredName, 1.2.840.113549.1.9.2 (RFC 2985 section 5.4.2).
constexpr std::uint8_t kUnstructuredName[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x02};

std::string TextOf(const base::PublicKey& public_key, const std::string& serial, const std::string& nonce) {
  return fmt::format("keyceremony proof of copy\nkey {}\ntoken {}\nnonce {}\n", public_key.SpkiSha256Hex(), serial,
                     nonce);
}

void AddName(x509::DerWriter& der, x509::Oid type, std::string_view value) {
  der.Nested(x509::tag::kSet, [&] {
    der.Nested(x509::tag::kSequence, [&] {
      der.ObjectIdentifier(type);
      der.Text(x509::tag::kUtf8String, value);
    });
  });
}

// CertificationRequestInfo (RFC 2986 section 4.1).
base::Bytes RequestInfo(const base::PublicKey& public_key, const std::string& serial, const std::string& text) {
  x509::DerWriter der;
  der.Nested(x509::tag::kSequence, [&] {
    der.Integer(0);
    der.Nested(x509::tag::kSequence, [&] {
      AddName(der, x509::Oid::kCommonName, "keyceremony proof of copy");
      AddName(der, x509::Oid::kSerialNumber, serial);
    });
    der.Raw(public_key.spki());
    der.Nested(kAttributes, [&] {
      der.Nested(x509::tag::kSequence, [&] {
        der.Value(x509::tag::kOid, kUnstructuredName);
        der.Nested(x509::tag::kSet, [&] { der.Text(x509::tag::kUtf8String, text); });
      });
    });
  });
  return std::move(der).Take();
}

x509::SignatureAlgorithm AlgorithmOf(base::SignatureScheme scheme, base::KeyAlgorithm key) {
  for (const x509::SignatureAlgorithmFacts& facts : x509::SignatureAlgorithms()) {
    if (facts.scheme == scheme && x509::Fits(facts.algorithm, key)) return facts.algorithm;
  }
  return x509::SignatureAlgorithm::kEcdsaSha256;  // each default scheme is in the table
}

base::Bytes Request(const base::PublicKey& public_key, base::ByteView info, base::ByteView signature) {
  const base::SignatureScheme scheme = hsm::DefaultScheme(public_key.algorithm());
  x509::DerWriter der;
  der.Nested(x509::tag::kSequence, [&] {
    der.Raw(info);
    der.Raw(x509::IdentifierOf(AlgorithmOf(scheme, public_key.algorithm())));
    der.BitString(signature);
  });
  return std::move(der).Take();
}

}  // namespace

ProofKind KindOfProof(const script::Policy& policy) {
  return policy.statement_signing ? ProofKind::kStatement : ProofKind::kRequest;
}

std::string_view ProofName(ProofKind kind) {
  return kind == ProofKind::kStatement ? "statement" : "certification-request";
}

base::Result<CopyProof> MakeProof(ProofKind kind, const base::PublicKey& public_key, const std::string& key,
                                  const std::string& token, const std::string& serial) {
  base::Bytes nonce(kNonceBytes);
  base::FillRandom(nonce);
  const std::string text = TextOf(public_key, serial, base::HexEncode(nonce));
  CopyProof proof{kind, fmt::format("proofs/{}.{}.{}", key, token, base::HexEncode(nonce).substr(0, 8)), {}};
  if (kind == ProofKind::kStatement) {
    proof.message = base::ToBytes(base::AsBytes(text));
    return proof;
  }
  proof.message = RequestInfo(public_key, serial, text);
  x509::Findings findings(proof.message);
  if (!x509::CheckDer(proof.message, findings) || !findings.empty())
    return base::MakeError(base::ErrorCode::kInternal, "the certificate request is not DER");
  return proof;
}

base::Result<std::string> WriteProof(StepContext& context, const CopyProof& proof, const base::PublicKey& public_key,
                                     base::ByteView signature) {
  KC_RETURN_IF_ERROR(public_key.Verify(hsm::DefaultScheme(public_key.algorithm()), proof.message, signature));
  if (proof.kind == ProofKind::kRequest) {
    const std::string name = proof.name + ".csr.der";
    KC_RETURN_IF_ERROR(context.WriteArtefact(name, "proof-of-copy", Request(public_key, proof.message, signature)));
    return name;
  }
  const std::string name = proof.name + ".txt";
  KC_RETURN_IF_ERROR(context.WriteArtefact(name, "proof-of-copy", proof.message));
  KC_RETURN_IF_ERROR(context.WriteArtefact(proof.name + ".sig", "proof-of-copy-signature", signature));
  return name;
}

base::Result<std::string> SignProof(StepContext& context, hsm::Session& session, const hsm::KeyPair& pair,
                                    const std::string& key, const std::string& token) {
  KC_ASSIGN_OR_RETURN(const CopyProof proof, MakeProof(KindOfProof(context.inputs().policy), pair.public_key, key,
                                                       token, session.token().info().serial));
  KC_ASSIGN_OR_RETURN(const base::Bytes signature,
                      hsm::Sign(session, pair, hsm::DefaultScheme(pair.public_key.algorithm()), proof.message,
                                hsm::Consequence::kCeremonyKey));
  return WriteProof(context, proof, pair.public_key, signature);
}

}  // namespace ceremony::steps
