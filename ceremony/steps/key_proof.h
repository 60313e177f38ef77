// Proof of copy: what a copy of a key signs to show that it is that key (x509/copy_proof.h).
//
// If the policy lets a CA key sign statements, the proof is the text. If not, it is the
// certificate request. The `intent` of the call has the whole of it, since its nonce is
// made after the approval.
#ifndef CEREMONY_STEPS_KEY_PROOF_H_
#define CEREMONY_STEPS_KEY_PROOF_H_

#include <string>

#include "ceremony/estate/estate.h"
#include "ceremony/script/policy.h"
#include "ceremony/steps/step_context.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"
#include "hsm/object.h"

namespace ceremony::steps {

enum class ProofKind : std::uint8_t { kStatement, kRequest };

struct ProofToSign {
  ProofKind kind = ProofKind::kRequest;
  std::string name;     // stem of its artefacts: "proofs/root-oca.backup.3f2a91c0"
  base::Bytes message;  // to be signed
};

// KindOfProof is the kind that the policy allows; ProofName is its name in records,
// "statement" or "certification-request".
ProofKind KindOfProof(const script::Policy& policy);
std::string_view ProofName(ProofKind kind);

// MakeProof makes the message, with a fresh nonce. A request is read back by another
// decoder before it is returned (kInternal if that fails).
base::Result<ProofToSign> MakeProof(ProofKind kind, const base::PublicKey& public_key, const std::string& key,
                                    const std::string& token, const std::string& serial);

// WriteProof verifies the signature, writes the proof as artefacts (`<name>.csr.der`, or
// `<name>.txt` and `<name>.sig`) and returns the name of the signed artefact.
base::Result<std::string> WriteProof(StepContext& context, const ProofToSign& proof, const base::PublicKey& public_key,
                                     base::ByteView signature);

// SignProof has a copy sign a proof and writes it: both of the above.
base::Result<std::string> SignProof(StepContext& context, hsm::Session& session, const hsm::KeyPair& pair,
                                    const std::string& key, const std::string& token);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_KEY_PROOF_H_
