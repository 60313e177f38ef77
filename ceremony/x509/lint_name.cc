#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/attribute_types.h"
#include "ceremony/x509/lint_parts.h"
#include "ceremony/x509/name.h"

namespace ceremony::x509::lint {
namespace {

// Where names are compared, blanks at the ends and control characters count for nothing, so that two names that
// are written differently would be one.
void LintText(const AttributeView& attribute, const char* field, Findings& findings) {
  const base::ByteView text = attribute.value;
  const bool octet_is_character = attribute.encoding == tag::kPrintableString ||
                                  attribute.encoding == tag::kUtf8String || attribute.encoding == tag::kIa5String ||
                                  attribute.encoding == tag::kTeletexString;
  if (!octet_is_character || text.empty()) return;
  if (text.front() == ' ' || text.back() == ' ') {
    findings.Add(
        RuleId::kName09, attribute.whole,
        fmt::format("{}: {} {} with a blank", field, OidText(attribute.type), text.front() == ' ' ? "begins" : "ends"));
  }
  const auto control =
      std::find_if(text.begin(), text.end(), [](std::uint8_t octet) { return octet < 0x20 || octet == 0x7f; });
  if (control != text.end()) {
    findings.Add(RuleId::kName10, &*control,
                 fmt::format("{}: {} has the control character {:02x}", field, OidText(attribute.type), *control));
  }
}

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
  LintText(attribute, field, findings);
  if (FindOid(attribute.type) == Oid::kCountry && length == 2 &&
      !std::ranges::all_of(attribute.value, [](std::uint8_t octet) { return octet >= 'A' && octet <= 'Z'; }))
    findings.Add(RuleId::kName12, attribute.whole,
                 fmt::format("{}: the country {} is not two capital letters", field, AttributeValueText(attribute)));
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
    if (!attribute->first_of_rdn)
      findings.Add(RuleId::kName11, attribute->whole,
                   fmt::format("{}: {} stands in one relative name with the attribute before it", field,
                               OidText(attribute->type)));
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
