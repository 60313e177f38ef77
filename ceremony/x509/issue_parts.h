// Shared by the issuing of certificates, CRLs and certification requests.
#ifndef CEREMONY_X509_ISSUE_PARTS_H_
#define CEREMONY_X509_ISSUE_PARTS_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ceremony/x509/compare.h"
#include "ceremony/x509/finding.h"
#include "ceremony/x509/signature_algorithm.h"
#include "ceremony/x509/view.h"
#include "hsm/base/bytes.h"
#include "hsm/base/digest.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"

namespace ceremony::x509::parts {

// CheckClean refuses with RefusedBy when the lint of `what` has found anything.
base::Result<void> CheckClean(const char* what, const std::vector<Finding>& findings);
// RefusedBy is the refusal with the first finding's rule and all sentences.
base::Error RefusedBy(const std::string& what, const std::vector<Finding>& findings);
// Differs is the refusal of a comparison in which not all rows are equal.
base::Error Differs(RuleId rule, const std::string& what, const Comparison& comparison);

// Malformed is the error for bytes that our decoder refuses: kCorrupt with its first
// finding.
base::Error Malformed(const char* what, const Findings& findings);

// Parsed makes a State, which has the bytes as `der` and their view as `view`. Bytes in which `parse` finds anything
// are Malformed.
template <typename State, typename Parse>
base::Result<std::shared_ptr<const State>> Parsed(const char* what, base::ByteView der, Parse parse) {
  auto state = std::make_shared<State>();
  state->der = base::ToBytes(der);
  Findings findings(state->der);
  const bool complete = parse(state->der, state->view, findings);
  if (!complete || !findings.empty()) return Malformed(what, findings);
  return std::shared_ptr<const State>(std::move(state));
}

// CheckApproved refuses with TBS-APPROVAL-01 when people approved another digest.
base::Result<void> CheckApproved(const char* what, const base::Sha256Digest& approved,
                                 const base::Sha256Digest& actual);

// CheckSignatureForm holds an ECDSA signature to strict low-S DER.
base::Result<void> CheckSignatureForm(const base::PublicKey& key, base::ByteView signature);

// CheckInside is kCorrupt unless the signed bytes are the approved ones.
base::Result<void> CheckInside(const char* what, base::ByteView inside, base::ByteView approved);

// Assemble puts a body, its AlgorithmIdentifier and a signature together.
base::Bytes Assemble(base::ByteView body, SignatureAlgorithm algorithm, base::ByteView signature);

// Signed is what a signature is checked over. kCorrupt when it does not verify,
// kUnsupported for an algorithm that is not in the table.
struct Signed {
  base::ByteView body;
  const AlgorithmView* inner = nullptr;  // nullptr: the body does not name it (PKCS#10)
  const AlgorithmView* outer = nullptr;
  base::ByteView signature;
  unsigned unused_bits = 0;
};
base::Result<void> Verify(const Signed& all, const base::PublicKey& key);

// AlgorithmText is the table's name of an AlgorithmIdentifier, or its hex.
std::string AlgorithmText(base::ByteView identifier);
// TimeText is ReadableTime, or "malformed" and hex.
std::string TimeText(const TimeView& time);

}  // namespace ceremony::x509::parts

#endif  // CEREMONY_X509_ISSUE_PARTS_H_
