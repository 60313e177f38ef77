// GeneralNames wherever they stand, the names of distribution points and places of access.
#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/lint_parts.h"
#include "ceremony/x509/view_parts.h"

namespace ceremony::x509::lint {
namespace {

void LintOtherName(const Element& element, const char* what, Findings& findings) {
  DerReader parts(element.content, what, findings);
  parts.Take(tag::kOid, "type-id");
  const auto value = parts.Take(tag::ContextConstructed(0), "value");
  if (!parts.Finish() || !value) return;
  DerReader inner(value->content, what, findings);
  inner.TakeAny("value of an otherName");
  inner.Finish();
}

void LintDirectoryName(const Element& element, const char* what, Findings& findings) {
  DerReader parts(element.content, what, findings);
  const auto name = parts.Take(tag::kSequence, "Name");
  if (!parts.Finish() || !name) return;
  const std::size_t before = findings.size();
  parts::CheckNameForm(name->content, what, findings);
  if (findings.size() == before) LintName(name->whole, what, findings);
}

void LintEdiPartyName(const Element& element, const char* what, Findings& findings) {
  DerReader parts(element.content, what, findings);
  parts.TakeIf(tag::ContextConstructed(0));
  parts.Take(tag::ContextConstructed(1), "partyName");
  parts.Finish();
}

// An IMPLICIT RelativeDistinguishedName.
void LintRelativeName(base::ByteView content, Findings& findings) {
  DerReader attributes(content, "nameRelativeToCRLIssuer", findings);
  do {
    const auto attribute = attributes.Take(tag::kSequence, "attribute");
    if (!attribute) return;
    DerReader parts(attribute->content, "nameRelativeToCRLIssuer", findings);
    parts.Take(tag::kOid, "attribute type");
    parts.TakeAny("attribute value");
    parts.Finish();
  } while (!attributes.AtEnd());
}

}  // namespace

const std::uint8_t* FirstInvisible(base::ByteView text) {
  const auto bad =
      std::find_if(text.begin(), text.end(), [](std::uint8_t octet) { return octet < 0x20 || octet > 0x7e; });
  return bad == text.end() ? nullptr : &*bad;
}

bool LintGeneralName(const Element& name, const char* what, Findings& findings) {
  const bool constructed = (name.identifier & 0x20U) != 0;
  const unsigned number = name.identifier & 0x1fU;
  const bool must_be_constructed = number == 0 || number == 3 || number == 4 || number == 5;
  if ((name.identifier & 0xc0U) != 0x80 || number > 8 || constructed != must_be_constructed) {
    findings.Add(RuleId::kForm02, name.whole,
                 fmt::format("{}: the tag {:02x} is no GeneralName", what, name.identifier));
    return false;
  }
  if (number == 0) LintOtherName(name, what, findings);
  if (number == 4) LintDirectoryName(name, what, findings);
  if (number == 5) LintEdiPartyName(name, what, findings);
  const bool text = number == 1 || number == 2 || number == 6;
  if (const std::uint8_t* const bad = text ? FirstInvisible(name.content) : nullptr) {
    findings.Add(RuleId::kDerString01, bad,
                 fmt::format("{}: an IA5String has the octet {:02x}, which is no visible character", what, *bad));
  }
  return true;
}

void LintGeneralNames(base::ByteView content, const char* what, Findings& findings) {
  if (content.empty()) findings.Add(RuleId::kAltName01, content, fmt::format("{} has no name", what));
  DerReader names(content, what, findings);
  while (!names.AtEnd()) {
    const auto name = names.TakeAny("GeneralName");
    if (!name) return;
    if (LintGeneralName(*name, what, findings) && name->content.empty())
      findings.Add(RuleId::kAltName01, name->whole, fmt::format("{} has an empty name", what));
  }
}

void LintAccessDescriptions(base::ByteView content, Findings& findings) {
  DerReader list(content, "extension infoAccess", findings);
  do {
    const auto description = list.Take(tag::kSequence, "AccessDescription");
    if (!description) return;
    DerReader parts(description->content, "extension infoAccess", findings);
    parts.Take(tag::kOid, "accessMethod");
    if (parts.failed()) return;
    LintGeneralNames(parts.rest(), "accessLocation", findings);
  } while (!list.AtEnd());
}

void LintDistributionPointName(base::ByteView content, Findings& findings) {
  DerReader choice(content, "distributionPoint", findings);
  if (const auto full = choice.TakeIf(tag::ContextConstructed(0))) {
    LintGeneralNames(full->content, "fullName", findings);
  } else if (const auto relative = choice.Take(tag::ContextConstructed(1), "fullName or nameRelativeToCRLIssuer")) {
    LintRelativeName(relative->content, findings);
  }
  choice.Finish();
}

}  // namespace ceremony::x509::lint
