#include "ceremony/steps/key_proof.h"

#include <fmt/format.h>

#include "ceremony/x509/copy_proof.h"
#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/der_writer.h"
#include "ceremony/x509/signature_algorithm.h"
#include "hsm/base/random.h"
#include "hsm/sign.h"

namespace ceremony::steps {
namespace {

constexpr std::size_t kNonceBytes = 16;

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

base::Result<ProofToSign> MakeProof(ProofKind kind, const base::PublicKey& public_key, const std::string& key,
                                    const std::string& token, const std::string& serial) {
  const x509::CopyProof facts{public_key.SpkiSha256Hex(), serial, base::RandomHex(kNonceBytes)};
  ProofToSign proof{kind, fmt::format("proofs/{}.{}.{}", key, token, facts.nonce.substr(0, 8)), {}};
  if (kind == ProofKind::kStatement) {
    proof.message = base::ToBytes(base::AsBytes(x509::CopyProofText(facts)));
    return proof;
  }
  proof.message = x509::CopyProofRequest(facts, public_key.spki());
  x509::Findings findings(proof.message);
  if (!x509::CheckDer(proof.message, findings) || !findings.empty())
    return base::MakeError(base::ErrorCode::kInternal, "the certificate request is not DER");
  return proof;
}

base::Result<std::string> WriteProof(StepContext& context, const ProofToSign& proof, const base::PublicKey& public_key,
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
  KC_ASSIGN_OR_RETURN(const ProofToSign proof, MakeProof(KindOfProof(context.inputs().policy), pair.public_key, key,
                                                         token, session.token().info().serial));
  KC_ASSIGN_OR_RETURN(const base::Bytes signature,
                      hsm::Sign(session, pair, hsm::DefaultScheme(pair.public_key.algorithm()), proof.message,
                                hsm::Consequence::kProof));
  return WriteProof(context, proof, pair.public_key, signature);
}

}  // namespace ceremony::steps
