#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ceremony/x509/lint_parts.h"
#include "ceremony/x509/profile.h"
#include "hsm/base/digest.h"

namespace ceremony::x509::lint {
namespace {

constexpr std::array<std::uint8_t, 3> kSubjectDirectoryAttributes = {0x55, 0x1d, 0x09};  // 2.5.29.9

// Which object identifiers stood before in a list; with more than 64, duplicates are looked for among these only.
class Seen final {
 public:
  bool Has(base::ByteView oid) {
    const auto end = seen_.begin() + static_cast<std::ptrdiff_t>(count_);
    if (std::any_of(seen_.begin(), end, [&](base::ByteView before) { return std::ranges::equal(before, oid); }))
      return true;
    if (count_ < seen_.size()) seen_[count_++] = oid;
    return false;
  }

 private:
  std::array<base::ByteView, 64> seen_;
  std::size_t count_ = 0;
};

class ExtensionLinter final {
 public:
  ExtensionLinter(const TbsView& tbs, Findings& findings) : tbs_(tbs), findings_(findings) {}

  ExtensionSummary Run() && {
    for (const ExtensionView& extension : tbs_.extensions()) One(extension);
    Together();
    return summary_;
  }

 private:
  void One(const ExtensionView& extension) {
    if (!extension.known) {
      if (extension.critical && std::ranges::equal(extension.oid, kSubjectDirectoryAttributes)) {
        findings_.Add(RuleId::kExtension06, extension.whole, "subjectDirectoryAttributes is critical");
      } else if (extension.critical) {
        findings_.Add(RuleId::kExtension03, extension.whole,
                      fmt::format("extension {} is critical, and verifiers that do not know it refuse the certificate",
                                  DottedOid(extension.oid)));
      }
      return;
    }
    if (!extension.sound) return;  // its DER is broken, and CheckDer has said where
    switch (*extension.known) {
      case Oid::kBasicConstraints:
        return BasicConstraints(extension);
      case Oid::kKeyUsage:
        summary_.key_usage = LintKeyUsage(extension, tbs_.spki, findings_);
        return;
      case Oid::kSubjectKeyIdentifier:
        return SubjectKeyIdentifier(extension);
      case Oid::kAuthorityKeyIdentifier:
        return AuthorityKeyIdentifier(extension);
      case Oid::kCertificatePolicies:
        return CertificatePolicies(extension);
      case Oid::kExtendedKeyUsage:
        return ExtendedKeyUsage(extension);
      case Oid::kSubjectAltName:
      case Oid::kIssuerAltName:
        return AlternativeNames(extension);
      case Oid::kNameConstraints:
        return NameConstraints(extension);
      case Oid::kPolicyMappings:
        return PolicyMappings(extension);
      case Oid::kPolicyConstraints:
        return PolicyConstraints(extension);
      case Oid::kInhibitAnyPolicy:
        return InhibitAnyPolicy(extension);
      case Oid::kAuthorityInfoAccess:
      case Oid::kSubjectInfoAccess:
        return InfoAccess(extension);
      case Oid::kCrlDistributionPoints:
      case Oid::kFreshestCrl:
        return DistributionPoints(extension);
      case Oid::kCrlNumber:
      case Oid::kReasonCode:
      case Oid::kInvalidityDate:
      case Oid::kDeltaCrlIndicator:
      case Oid::kIssuingDistributionPoint:
      case Oid::kCertificateIssuer:
        findings_.Add(RuleId::kExtension05, extension.whole,
                      fmt::format("{} belongs in a CRL", FactsOf(*extension.known).name));
        return;
      default:
        return;
    }
  }

  // The contents of the SEQUENCE that the value of an extension is.
  std::optional<base::ByteView> SequenceIn(const ExtensionView& extension, const char* what) {
    DerReader reader(extension.value, what, findings_);
    const auto sequence = reader.Take(tag::kSequence, "value");
    return sequence ? std::optional(sequence->content) : std::nullopt;
  }

  void BasicConstraints(const ExtensionView& extension) {
    const auto content = SequenceIn(extension, "extension basicConstraints");
    if (!content) return;
    DerReader reader(*content, "extension basicConstraints", findings_);
    if (const auto ca = reader.TakeIf(tag::kBoolean)) {
      summary_.ca = BooleanOf(ca->content);
      if (!summary_.ca)
        findings_.Add(RuleId::kDerDefault01, ca->whole, "cA FALSE is the default and must not be encoded");
    }
    if (const auto length = reader.TakeIf(tag::kInteger)) {
      summary_.path_length = SmallIntegerOf(length->content);
      path_length_ = &extension;
      if (!summary_.path_length && !length->content.empty()) {
        findings_.Add(
            RuleId::kBasic04, length->whole,
            (length->content[0] & 0x80U) != 0 ? "pathLenConstraint is negative" : "pathLenConstraint is above 2^31-1");
      }
    }
    reader.Finish();
    if (summary_.ca && !extension.critical)
      findings_.Add(RuleId::kBasic02, extension.whole, "basicConstraints of a CA is not critical");
  }

  void SubjectKeyIdentifier(const ExtensionView& extension) {
    DerReader reader(extension.value, "extension subjectKeyIdentifier", findings_);
    const auto element = reader.Take(tag::kOctetString, "value");
    if (!element) return;
    const bool empty = element->content.empty();
    if (empty || extension.critical) {
      findings_.Add(RuleId::kSubjectKeyId02, extension.whole,
                    empty ? "subjectKeyIdentifier is empty" : "subjectKeyIdentifier is critical");
    }
    if (!empty && !IsDerived(element->content)) {
      findings_.Add(RuleId::kSubjectKeyId03, element->whole,
                    fmt::format("subjectKeyIdentifier {} is not derived from the key by any method of its clause",
                                HexExcerpt(element->content)));
    }
  }

  // RFC 5280 methods 1 and 2; RFC 7093 methods 1 (SHA-256 of the bits, 160 bits) and 4 (of the whole key).
  bool IsDerived(base::ByteView identifier) const {
    if (identifier.size() == 20 || identifier.size() == 8) {
      const base::Bytes sha1 = base::DigestOf(base::DigestAlgorithm::kSha1, tbs_.spki.bits);
      if (identifier.size() == 20 && std::ranges::equal(identifier, sha1)) return true;
      if (identifier.size() == 8 && identifier[0] == (0x40U | (sha1[12] & 0x0fU)) &&
          std::equal(identifier.begin() + 1, identifier.end(), sha1.begin() + 13))
        return true;
    }
    if (identifier.size() != 20 && identifier.size() != 32) return false;
    for (const base::ByteView hashed : {tbs_.spki.bits, tbs_.spki.whole}) {
      const base::Sha256Digest sha256 = base::Sha256Of(hashed);
      if (std::equal(identifier.begin(), identifier.end(), sha256.begin())) return true;
    }
    return false;
  }

  void AuthorityKeyIdentifier(const ExtensionView& extension) {
    const auto content = SequenceIn(extension, "extension authorityKeyIdentifier");
    if (!content) return;
    DerReader reader(*content, "extension authorityKeyIdentifier", findings_);
    const auto key = reader.TakeIf(tag::Context(0));
    const auto issuer = reader.TakeIf(tag::ContextConstructed(1));
    const auto serial = reader.TakeIf(tag::Context(2));
    if (serial) LintImplicitInteger(*serial, "authorityCertSerialNumber", findings_);
    reader.Finish();
    authority_key_id_ = key.has_value();
    if (issuer) LintGeneralNames(issuer->content, "authorityCertIssuer", findings_);
    if (issuer.has_value() != serial.has_value()) {
      findings_.Add(
          RuleId::kAuthorityKeyId03, extension.whole,
          "authorityKeyIdentifier has one of authorityCertIssuer and authorityCertSerialNumber without the other");
    }
    if (extension.critical)
      findings_.Add(RuleId::kAuthorityKeyId02, extension.whole, "authorityKeyIdentifier is critical");
    if (content->empty() || (key && key->content.empty()))
      findings_.Add(RuleId::kAuthorityKeyId04, extension.whole, "authorityKeyIdentifier is empty");
  }

  void CertificatePolicies(const ExtensionView& extension) {
    const auto content = SequenceIn(extension, "extension certificatePolicies");
    if (!content) return;
    if (content->empty()) findings_.Add(RuleId::kPolicy02, extension.whole, "certificatePolicies has no policy");
    DerReader policies(*content, "extension certificatePolicies", findings_);
    Seen seen;
    while (!policies.AtEnd()) {
      const auto policy = policies.Take(tag::kSequence, "PolicyInformation");
      if (!policy) return;
      DerReader parts(policy->content, "certificate policy", findings_);
      const auto oid = parts.Take(tag::kOid, "policyIdentifier");
      const auto qualifiers = parts.TakeIf(tag::kSequence);
      if (!oid || !parts.Finish()) return;
      if (qualifiers) LintPolicyQualifiers(qualifiers->content, oid->content, findings_);
      if (seen.Has(oid->content))
        findings_.Add(RuleId::kPolicy01, oid->whole, fmt::format("the policy {} stands twice", OidText(oid->content)));
    }
  }

  void ExtendedKeyUsage(const ExtensionView& extension) {
    const auto content = SequenceIn(extension, "extension extKeyUsage");
    if (!content) return;
    if (content->empty()) findings_.Add(RuleId::kExtendedUsage01, extension.whole, "extKeyUsage has no purpose");
    DerReader purposes(*content, "extension extKeyUsage", findings_);
    Seen seen;
    while (!purposes.AtEnd()) {
      const auto purpose = purposes.Take(tag::kOid, "KeyPurposeId");
      if (!purpose) return;
      if (FindOid(purpose->content) == Oid::kAnyExtendedKeyUsage && extension.critical) {
        findings_.Add(RuleId::kExtendedUsage02, purpose->whole, "extKeyUsage is critical and has anyExtendedKeyUsage");
      }
      if (seen.Has(purpose->content))
        findings_.Add(RuleId::kExtendedUsage01, purpose->whole,
                      fmt::format("the purpose {} stands twice", OidText(purpose->content)));
    }
  }

  void AlternativeNames(const ExtensionView& extension) {
    const bool subject = *extension.known == Oid::kSubjectAltName;
    const char* what = subject ? "extension subjectAltName" : "extension issuerAltName";
    if (const auto content = SequenceIn(extension, what)) LintGeneralNames(*content, what, findings_);
    if (!extension.critical || (subject && !NameReader(tbs_.subject).Next())) return;
    findings_.Add(RuleId::kExtension07, extension.whole,
                  subject ? "subjectAltName is critical although there is a subject" : "issuerAltName is critical");
  }

  void NameConstraints(const ExtensionView& extension) {
    name_constraints_ = &extension;
    const auto content = SequenceIn(extension, "extension nameConstraints");
    if (!content) return;
    if (content->empty())
      findings_.Add(RuleId::kNameConstraints02, extension.whole,
                    "nameConstraints has neither permitted nor excluded subtrees");
    DerReader reader(*content, "extension nameConstraints", findings_);
    for (const unsigned which : {0U, 1U}) {
      const auto subtrees = reader.TakeIf(tag::ContextConstructed(which));
      if (!subtrees) continue;
      if (subtrees->content.empty())
        findings_.Add(RuleId::kNameConstraints02, subtrees->whole, "a list of subtrees of nameConstraints is empty");
      DerReader list(subtrees->content, "extension nameConstraints", findings_);
      while (!list.AtEnd()) {
        const auto subtree = list.Take(tag::kSequence, "GeneralSubtree");
        if (!subtree) return;
        LintSubtree(subtree->content, findings_);
      }
    }
    reader.Finish();
    if (!extension.critical)
      findings_.Add(RuleId::kNameConstraints01, extension.whole, "nameConstraints is not critical");
  }

  void PolicyConstraints(const ExtensionView& extension) {
    policy_constraints_ = &extension;
    const auto content = SequenceIn(extension, "extension policyConstraints");
    if (!content) return;
    if (content->empty()) findings_.Add(RuleId::kPolicyConstraints02, extension.whole, "policyConstraints is empty");
    DerReader reader(*content, "extension policyConstraints", findings_);
    if (const auto skip = reader.TakeIf(tag::Context(0))) {
      LintImplicitInteger(*skip, "requireExplicitPolicy", findings_);
      NotNegative(*skip, "requireExplicitPolicy");
    }
    if (const auto skip = reader.TakeIf(tag::Context(1))) {
      LintImplicitInteger(*skip, "inhibitPolicyMapping", findings_);
      NotNegative(*skip, "inhibitPolicyMapping");
    }
    reader.Finish();
    if (!extension.critical)
      findings_.Add(RuleId::kPolicyConstraints01, extension.whole, "policyConstraints is not critical");
  }

  void InhibitAnyPolicy(const ExtensionView& extension) {
    inhibit_any_policy_ = &extension;
    DerReader reader(extension.value, "extension inhibitAnyPolicy", findings_);
    if (const auto skip = reader.Take(tag::kInteger, "value")) NotNegative(*skip, "inhibitAnyPolicy");
    if (!extension.critical)
      findings_.Add(RuleId::kPolicyConstraints01, extension.whole, "inhibitAnyPolicy is not critical");
  }

  void NotNegative(const Element& skip, const char* what) {
    if (!skip.content.empty() && (skip.content[0] & 0x80U) != 0)
      findings_.Add(RuleId::kPolicyConstraints03, skip.whole, fmt::format("{} is negative", what));
  }

  void PolicyMappings(const ExtensionView& extension) {
    policy_mappings_ = &extension;
    if (const auto content = SequenceIn(extension, "extension policyMappings"))
      LintPolicyMappings(*content, tbs_, findings_);
    if (!extension.critical) findings_.Add(RuleId::kPolicy04, extension.whole, "policyMappings is not critical");
  }

  void NeverCritical(const ExtensionView& extension) {
    if (!extension.critical) return;
    findings_.Add(RuleId::kExtension06, extension.whole,
                  fmt::format("{} is critical, which its clause forbids", FactsOf(*extension.known).name));
  }

  void InfoAccess(const ExtensionView& extension) {
    if (const auto content = SequenceIn(extension, "extension infoAccess")) LintAccessDescriptions(*content, findings_);
    NeverCritical(extension);
  }

  void DistributionPoints(const ExtensionView& extension) {
    if (*extension.known == Oid::kFreshestCrl) {
      NeverCritical(extension);
    } else if (extension.critical) {
      findings_.Add(RuleId::kExtension07, extension.whole, "cRLDistributionPoints is critical");
    }
    const auto content = SequenceIn(extension, "extension cRLDistributionPoints");
    if (!content) return;
    DerReader list(*content, "extension cRLDistributionPoints", findings_);
    do {
      const auto point = list.Take(tag::kSequence, "DistributionPoint");
      if (!point) return;
      DerReader parts(point->content, "extension cRLDistributionPoints", findings_);
      const auto name = parts.TakeIf(tag::ContextConstructed(0));
      if (const auto reasons = parts.TakeIf(tag::Context(1))) LintImplicitBitList(*reasons, "reasons", findings_);
      const auto issuer = parts.TakeIf(tag::ContextConstructed(2));
      parts.Finish();
      if (!name && !issuer)
        findings_.Add(RuleId::kForm01, point->whole, "a distribution point has neither a name nor a CRL issuer");
      if (issuer) LintGeneralNames(issuer->content, "cRLIssuer", findings_);
      if (name) LintDistributionPointName(name->content, findings_);
    } while (!list.AtEnd());
  }

  // Together judges what only several extensions say.
  void Together() {
    const ExtensionView* basic = tbs_.Find(Oid::kBasicConstraints);
    const ExtensionView* usage = tbs_.Find(Oid::kKeyUsage);
    const unsigned bits = summary_.key_usage.value_or(0);
    const bool signs_certificates = (bits & kKeyCertSign) != 0;
    if (signs_certificates && !summary_.ca) {
      findings_.Add(RuleId::kBasic01, usage->whole,
                    basic == nullptr ? "keyUsage has keyCertSign and there is no basicConstraints"
                                     : "keyUsage has keyCertSign and basicConstraints is not CA");
    }
    if (path_length_ != nullptr && (!summary_.ca || (usage != nullptr && !signs_certificates))) {
      findings_.Add(RuleId::kBasic03, path_length_->whole,
                    fmt::format("pathLenConstraint stands without {}", summary_.ca ? "keyCertSign" : "cA"));
    }
    if (summary_.ca && (bits & (kKeyCertSign | kCrlSign)) == 0) {
      findings_.Add(RuleId::kKeyUsage02, usage == nullptr ? basic->whole : usage->whole,
                    usage == nullptr ? "a CA certificate has no keyUsage"
                                     : "keyUsage of a CA has neither keyCertSign nor cRLSign");
    }
    if (summary_.ca && tbs_.Find(Oid::kSubjectKeyIdentifier) == nullptr) {
      findings_.Add(RuleId::kSubjectKeyId01, tbs_.extensions_whole, "a CA certificate has no subjectKeyIdentifier");
    }
    if (!IsSelfIssued(tbs_) && !authority_key_id_) {
      const ExtensionView* authority = tbs_.Find(Oid::kAuthorityKeyIdentifier);
      findings_.Add(
          RuleId::kAuthorityKeyId01, authority == nullptr ? tbs_.extensions_whole : authority->whole,
          authority == nullptr ? "there is no authorityKeyIdentifier" : "authorityKeyIdentifier has no keyIdentifier");
    }
    if (!summary_.ca && name_constraints_ != nullptr)
      findings_.Add(RuleId::kNameConstraints01, name_constraints_->whole,
                    "nameConstraints stands in a certificate that is no CA's");
    if (!summary_.ca && policy_mappings_ != nullptr)
      findings_.Add(RuleId::kPolicy04, policy_mappings_->whole,
                    "policyMappings stands in a certificate that is no CA's");
    for (const ExtensionView* extension : {policy_constraints_, inhibit_any_policy_}) {
      if (!summary_.ca && extension != nullptr) {
        findings_.Add(RuleId::kPolicyConstraints01, extension->whole,
                      fmt::format("{} stands in a certificate that is no CA's", FactsOf(*extension->known).name));
      }
    }
  }

  const TbsView& tbs_;
  Findings& findings_;
  ExtensionSummary summary_;
  bool authority_key_id_ = false;
  const ExtensionView* path_length_ = nullptr;  // basicConstraints that has one
  const ExtensionView* name_constraints_ = nullptr;
  const ExtensionView* policy_constraints_ = nullptr;
  const ExtensionView* inhibit_any_policy_ = nullptr;
  const ExtensionView* policy_mappings_ = nullptr;
};

}  // namespace

ExtensionSummary LintExtensions(const TbsView& tbs, Findings& findings) { return ExtensionLinter(tbs, findings).Run(); }

}  // namespace ceremony::x509::lint
