// What certificatePolicies says of a policy beyond its identifier, and policyMappings.
#include <fmt/format.h>

#include "ceremony/x509/lint_parts.h"

namespace ceremony::x509::lint {
namespace {

bool IsDisplayText(std::uint8_t identifier) {
  return identifier == tag::kUtf8String || identifier == tag::kIa5String || identifier == tag::kVisibleString ||
         identifier == tag::kBmpString;
}

void LintDisplayText(const Element& text, const char* what, Findings& findings) {
  if (!IsDisplayText(text.identifier))
    findings.Add(RuleId::kForm02, text.whole,
                 fmt::format("{} has the tag {:02x}, which is no text", what, text.identifier));
}

void LintUserNotice(const Element& notice, Findings& findings) {
  DerReader parts(notice.content, "UserNotice", findings);
  if (const auto reference = parts.TakeIf(tag::kSequence)) {
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
  if (const auto text = parts.TakeAny("explicitText")) LintDisplayText(*text, "explicitText", findings);
  parts.Finish();
}

void LintCps(const Element& uri, Findings& findings) {
  if (const std::uint8_t* const bad = FirstInvisible(uri.content)) {
    findings.Add(
        RuleId::kDerString01, bad,
        fmt::format("the URI of a practice statement has the octet {:02x}, which is no visible character", *bad));
  }
}

}  // namespace

void LintPolicyQualifiers(base::ByteView content, Findings& findings) {
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
    }
    parts.Finish();
  } while (!list.AtEnd());
}

void LintPolicyMappings(base::ByteView content, Findings& findings) {
  DerReader list(content, "policyMappings", findings);
  do {
    const auto mapping = list.Take(tag::kSequence, "mapping");
    if (!mapping) return;
    DerReader parts(mapping->content, "policyMappings", findings);
    parts.Take(tag::kOid, "issuerDomainPolicy");
    parts.Take(tag::kOid, "subjectDomainPolicy");
    parts.Finish();
  } while (!list.AtEnd());
}

}  // namespace ceremony::x509::lint
