// The parts of the lint, each in its own file; lint.h is the way in.
#ifndef CEREMONY_X509_LINT_PARTS_H_
#define CEREMONY_X509_LINT_PARTS_H_

#include <cstdint>
#include <optional>

#include "ceremony/x509/curves.h"
#include "ceremony/x509/finding.h"
#include "ceremony/x509/general_name.h"
#include "ceremony/x509/rule_id.h"
#include "ceremony/x509/view.h"

namespace ceremony::x509::lint {

// ExtensionSummary is what the rules across extensions need to know.
struct ExtensionSummary {
  bool ca = false;
  std::optional<std::uint32_t> path_length;
  std::optional<std::uint16_t> key_usage;  // bits of KeyUsageBit
};

// LintNames judges issuer and subject, and the subject against the extensions.
void LintNames(const TbsView& tbs, const ExtensionSummary& summary, Findings& findings);

// LintKey judges the public key.
void LintKey(const SpkiView& spki, const Curves& curves, Findings& findings);

// LintExtensions judges each extension and what they say together.
ExtensionSummary LintExtensions(const TbsView& tbs, Findings& findings);

// LintKeyUsage judges the value of keyUsage, also against the key; its bits, or nullopt when it is no bit list.
std::optional<std::uint16_t> LintKeyUsage(const ExtensionView& extension, const SpkiView& spki, Findings& findings);

// LintName judges the attributes of a Name; true when it has none.
bool LintName(base::ByteView name, const char* field, Findings& findings);

// FirstInvisible returns the first octet that is not a visible ASCII character; nullptr if there is none.
const std::uint8_t* FirstInvisible(base::ByteView text);
// LintGeneralNames judges the elements of a GeneralNames; `what` names it.
// LintGeneralName judges one, which may be empty; false when it is none.
// LintSubtree judges the contents of a GeneralSubtree of nameConstraints.
void LintGeneralNames(base::ByteView content, const char* what, Findings& findings);
bool LintGeneralName(const Element& name, const char* what, NamePlace place, Findings& findings);
void LintSubtree(base::ByteView content, Findings& findings);
// LintDistributionPointName judges the choice of names of a distribution point.
void LintDistributionPointName(base::ByteView content, Findings& findings);

// LintAccessDescriptions judges the elements of authorityInfoAccess and subjectInfoAccess.
void LintAccessDescriptions(base::ByteView content, Findings& findings);

// LintPolicyQualifiers judges what certificatePolicies says of one policy,
// LintPolicyMappings the value of policyMappings.
void LintPolicyQualifiers(base::ByteView content, base::ByteView policy, Findings& findings);
void LintPolicyMappings(base::ByteView content, const TbsView& tbs, Findings& findings);

// PolicyReader returns the policies of certificatePolicies in order; it stops
// where the bytes are malformed.
struct PolicyView {
  base::ByteView whole;
  base::ByteView oid;         // content octets
  base::ByteView qualifiers;  // contents of policyQualifiers
};
class PolicyReader final {
 public:
  explicit PolicyReader(const TbsView& tbs);
  std::optional<PolicyView> Next();

 private:
  base::ByteView rest_;
};
// NamesPolicyBelow tells whether a policy is this object identifier or one below it.
bool NamesPolicyBelow(const TbsView& tbs, base::ByteView arc);

// These check that values under IMPLICIT tags are DER; `what` names the field. A flag is
// a BOOLEAN DEFAULT FALSE, a bit list a BIT STRING with named bits (X.690 11.2.2).
void LintImplicitFlag(const Element& field, Findings& findings);
void LintImplicitInteger(const Element& field, const char* what, Findings& findings);
void LintImplicitBitList(const Element& field, const char* what, Findings& findings);

// LintAlgorithm judges a signature's AlgorithmIdentifier.
void LintAlgorithm(const AlgorithmView& algorithm, Findings& findings);

// SignatureParts is what the rules about the signature of a certificate or CRL need.
struct SignatureParts {
  const AlgorithmView* inner = nullptr;
  const AlgorithmView* outer = nullptr;
  base::ByteView signature;  // bits of the BIT STRING
  unsigned unused_bits = 0;
  const TbsView* self_signed = nullptr;  // the certificate whose key signed; nullptr if that key is unknown
};

// LintSignatureParts judges the signature's form and range.
void LintSignatureParts(const SignatureParts& all, const Curves& curves, Findings& findings);

// LintSignature does so for a certificate, and holds a self-signed one to its key.
void LintSignature(const CertificateView& certificate, const Curves& curves, Findings& findings);

}  // namespace ceremony::x509::lint

#endif  // CEREMONY_X509_LINT_PARTS_H_
