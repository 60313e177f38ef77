#include <fmt/format.h>

#include "ceremony/x509/attribute_types.h"
#include "ceremony/x509/lint_parts.h"
#include "ceremony/x509/name.h"

namespace ceremony::x509::lint {
namespace {

void LintAttribute(const AttributeView& attribute, const char* field, Findings& findings) {
  const std::string_view encoding = StringTypeName(attribute.encoding);
  const std::size_t length = CharacterCount(attribute.encoding, attribute.value);
  if (length == 0 && !encoding.empty()) {
    findings.Add(RuleId::kName07, attribute.whole, fmt::format("{}: {} is empty", field, OidText(attribute.type)));
    return;
  }
  const AttributeFacts* facts = FindAttribute(FindOid(attribute.type));
  if (facts == nullptr) return;
  if (!Allows(facts->syntax, attribute.encoding)) {
    findings.Add(RuleId::kName05, attribute.whole,
                 fmt::format("{}: {} is {} where {} must be", field, OidText(attribute.type),
                             encoding.empty() ? fmt::format("tag {:02x}", attribute.encoding) : std::string(encoding),
                             SyntaxName(facts->syntax)));
    return;
  }
  if (facts->syntax == AttributeSyntax::kDirectoryString && attribute.encoding != tag::kPrintableString &&
      attribute.encoding != tag::kUtf8String) {
    findings.Add(
        RuleId::kName08, attribute.whole,
        fmt::format("{}: {} is {}, which new certificates do not use", field, OidText(attribute.type), encoding));
  }
  if ((facts->most != 0 && length > facts->most) || length < facts->least) {
    findings.Add(RuleId::kName06, attribute.whole,
                 fmt::format("{}: {} has {} characters where {} to {} are allowed", field, OidText(attribute.type),
                             length, facts->least, facts->most));
  }
}

}  // namespace

bool LintName(base::ByteView name, const char* field, Findings& findings) {
  NameReader reader(name);
  bool empty = true;
  while (const auto attribute = reader.Next()) {
    empty = false;
    LintAttribute(*attribute, field, findings);
  }
  return empty;
}

void LintNames(const TbsView& tbs, const ExtensionSummary& summary, Findings& findings) {
  if (LintName(tbs.issuer, "issuer", findings)) findings.Add(RuleId::kName01, tbs.issuer, "the issuer is empty");
  const bool subject_empty = LintName(tbs.subject, "subject", findings);
  if (subject_empty && summary.ca) findings.Add(RuleId::kName02, tbs.subject, "the subject of a CA is empty");
  if (subject_empty && !summary.ca) {
    const ExtensionView* alternative = tbs.Find(Oid::kSubjectAltName);
    if (alternative == nullptr || !alternative->critical) {
      findings.Add(RuleId::kName03, tbs.subject,
                   alternative == nullptr ? "the subject is empty and there is no subjectAltName"
                                          : "the subject is empty and subjectAltName is not critical");
    }
  }
  if (!IsSelfIssued(tbs) && SameName(tbs.issuer, tbs.subject)) {
    findings.Add(RuleId::kName04, tbs.subject,
                 fmt::format("issuer and subject are the same name in different bytes: {} and {}", NameText(tbs.issuer),
                             NameText(tbs.subject)));
  }
}

}  // namespace ceremony::x509::lint
