// What certificatePolicies says of a policy beyond its identifier, and policyMappings.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "ceremony/x509/attribute_types.h"
#include "ceremony/x509/lint_parts.h"

namespace ceremony::x509::lint {
namespace {

constexpr std::size_t kMostCharacters = 200;

bool IsDisplayText(std::uint8_t identifier) {
  return identifier == tag::kUtf8String || identifier == tag::kIa5String || identifier == tag::kVisibleString ||
         identifier == tag::kBmpString;
}

void LintDisplayText(const Element& text, const char* what, Findings& findings) {
  if (!IsDisplayText(text.identifier))
    findings.Add(RuleId::kForm02, text.whole,
                 fmt::format("{} has the tag {:02x}, which is no text", what, text.identifier));
}

void LintExplicitText(const Element& text, Findings& findings) {
  LintDisplayText(text, "explicitText", findings);
  if (text.identifier == tag::kIa5String) {
    findings.Add(RuleId::kPolicy05, text.whole, "explicitText is an IA5String, which the clause forbids");
  } else if (text.identifier != tag::kUtf8String) {
    findings.Add(RuleId::kPolicy08, text.whole,
                 fmt::format("explicitText is {}, not UTF8String", StringTypeName(text.identifier)));
  }
  const auto control =
      std::ranges::find_if(text.content, [](std::uint8_t octet) { return octet < 0x20 || octet == 0x7f; });
  if (control != text.content.end() && text.identifier != tag::kBmpString)
    findings.Add(RuleId::kPolicy08, &*control, fmt::format("explicitText has the control character {:02x}", *control));
  const std::size_t length = CharacterCount(text.identifier, text.content);
  if (length > kMostCharacters) {
    findings.Add(RuleId::kPolicy05, text.whole,
                 fmt::format("explicitText has {} characters, {} are the most", length, kMostCharacters));
  }
}

void LintUserNotice(const Element& notice, Findings& findings) {
  DerReader parts(notice.content, "UserNotice", findings);
  if (const auto reference = parts.TakeIf(tag::kSequence)) {
    findings.Add(RuleId::kPolicy06, reference->whole, "a user notice has a noticeRef, which few verifiers can follow");
    DerReader fields(reference->content, "NoticeReference", findings);
    if (const auto organization = fields.TakeAny("organization"))
      LintDisplayText(*organization, "organization", findings);
    if (const auto numbers = fields.Take(tag::kSequence, "noticeNumbers")) {
      DerReader list(numbers->content, "noticeNumbers", findings);
      while (!list.AtEnd() && list.Take(tag::kInteger, "number")) {
      }
    }
    fields.Finish();
  }
  if (parts.AtEnd()) return;
  if (const auto text = parts.TakeAny("explicitText")) LintExplicitText(*text, findings);
  parts.Finish();
}

bool ComesBefore(base::ByteView a, base::ByteView b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
}

// The object identifiers of certificatePolicies, in order.
std::vector<base::ByteView> SortedPolicies(const TbsView& tbs) {
  std::vector<base::ByteView> sorted;
  PolicyReader policies(tbs);
  while (const auto policy = policies.Next()) sorted.push_back(policy->oid);
  std::sort(sorted.begin(), sorted.end(), ComesBefore);
  return sorted;
}

void LintCps(const Element& uri, Findings& findings) {
  if (const std::uint8_t* const bad = FirstInvisible(uri.content)) {
    findings.Add(
        RuleId::kDerString01, bad,
        fmt::format("the URI of a practice statement has the octet {:02x}, which is no visible character", *bad));
  }
}

}  // namespace

void LintPolicyQualifiers(base::ByteView content, base::ByteView policy, Findings& findings) {
  DerReader list(content, "policyQualifiers", findings);
  do {
    const auto qualifier = list.Take(tag::kSequence, "PolicyQualifierInfo");
    if (!qualifier) return;
    DerReader parts(qualifier->content, "PolicyQualifierInfo", findings);
    const auto type = parts.Take(tag::kOid, "policyQualifierId");
    if (!type) return;
    const auto known = FindOid(type->content);
    if (known == Oid::kCpsQualifier) {
      if (const auto uri = parts.Take(tag::kIa5String, "cPSuri")) LintCps(*uri, findings);
    } else if (known == Oid::kUserNoticeQualifier) {
      if (const auto notice = parts.Take(tag::kSequence, "userNotice")) LintUserNotice(*notice, findings);
    } else {
      parts.TakeAny("qualifier");
      if (FindOid(policy) == Oid::kAnyPolicy)
        findings.Add(RuleId::kPolicy07, qualifier->whole,
                     fmt::format("anyPolicy has the qualifier {}", OidText(type->content)));
    }
    parts.Finish();
  } while (!list.AtEnd());
}

PolicyReader::PolicyReader(const TbsView& tbs) {
  if (const ExtensionView* policies = tbs.Find(Oid::kCertificatePolicies))
    rest_ = ReadElement(policies->value).element.content;
}

std::optional<PolicyView> PolicyReader::Next() {
  const Element policy = ReadElement(rest_).element;
  if (policy.whole.empty()) return std::nullopt;
  rest_ = rest_.subspan(policy.whole.size());
  const Element oid = ReadElement(policy.content).element;
  const base::ByteView after = policy.content.subspan(oid.whole.size());
  return PolicyView{policy.whole, oid.content, ReadElement(after).element.content};
}

bool NamesPolicyBelow(const TbsView& tbs, base::ByteView arc) {
  PolicyReader policies(tbs);
  while (const auto policy = policies.Next()) {
    if (policy->oid.size() >= arc.size() && std::equal(arc.begin(), arc.end(), policy->oid.begin())) return true;
  }
  return false;
}

void LintPolicyMappings(base::ByteView content, const TbsView& tbs, Findings& findings) {
  const std::vector<base::ByteView> policies = SortedPolicies(tbs);
  DerReader list(content, "policyMappings", findings);
  do {
    const auto mapping = list.Take(tag::kSequence, "mapping");
    if (!mapping) return;
    DerReader parts(mapping->content, "policyMappings", findings);
    const auto from = parts.Take(tag::kOid, "issuerDomainPolicy");
    const auto to = parts.Take(tag::kOid, "subjectDomainPolicy");
    for (const auto& [policy, field] : {std::pair(from, "issuerDomainPolicy"), std::pair(to, "subjectDomainPolicy")}) {
      if (policy && FindOid(policy->content) == Oid::kAnyPolicy)
        findings.Add(RuleId::kPolicy03, policy->whole, fmt::format("{} of a mapping is anyPolicy", field));
    }
    if (from && !std::binary_search(policies.begin(), policies.end(), from->content, ComesBefore))
      findings.Add(
          RuleId::kPolicy09, from->whole,
          fmt::format("the policy {} is mapped and does not stand in certificatePolicies", OidText(from->content)));
    parts.Finish();
  } while (!list.AtEnd());
}

}  // namespace ceremony::x509::lint
