// GeneralNames wherever they stand, the names of distribution points and places of access.
#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/lint_parts.h"
#include "ceremony/x509/view_parts.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509::lint {
namespace {

// Tags of GeneralName that hold text.
constexpr unsigned kMail = 1;
constexpr unsigned kHost = 2;
constexpr unsigned kUri = 6;
constexpr unsigned kAddress = 7;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

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

void LintAddress(const Element& name, const char* what, NamePlace place, Findings& findings) {
  const std::size_t parts = place == NamePlace::kSubtree ? 2 : 1;
  const std::size_t size = name.content.size();
  if (size == 0 || size == 4 * parts || size == 16 * parts) return;  // an empty name is a finding of its own
  findings.Add(RuleId::kAltName02, name.whole,
               fmt::format("{}: an iPAddress has {} octets where {} or {} must be", what, size, 4 * parts, 16 * parts));
}

// The second half of an address in nameConstraints.
void LintMask(const Element& name, Findings& findings) {
  const base::ByteView mask = name.content.subspan(name.content.size() / 2);
  bool ended = false;
  for (const std::uint8_t octet : mask) {
    const unsigned zeros = ~octet & 0xffU;
    const bool whole = (zeros & (zeros + 1)) == 0;  // ones, then zeros
    if (!whole || (ended && octet != 0)) {
      findings.Add(RuleId::kNameConstraints05, name.whole,
                   fmt::format("the mask {} of a subtree is not ones and then zeros", HexExcerpt(mask)));
      return;
    }
    ended = octet != 0xff;
  }
}

// A host name as RFC 1034 prefers it; its first label may be "*".
bool IsHostName(std::string_view name, bool wildcard) {
  constexpr std::size_t kLongestName = 253;
  constexpr std::size_t kLongestLabel = 63;
  if (name.size() > kLongestName) return false;
  if (wildcard && name.starts_with("*.")) name.remove_prefix(2);
  while (true) {
    const std::string_view label = name.substr(0, name.find('.'));
    const bool good = std::ranges::all_of(label, [](char c) { return IsLetter(c) || IsDigit(c) || c == '-'; });
    if (label.empty() || label.size() > kLongestLabel || !good || label.front() == '-' || label.back() == '-')
      return false;
    if (label.size() == name.size()) return true;
    name.remove_prefix(label.size() + 1);
  }
}

bool IsMailbox(std::string_view name) {
  const std::size_t at = name.rfind('@');
  return at != std::string_view::npos && at > 0 && IsHostName(name.substr(at + 1), false);
}

bool IsAbsoluteUri(std::string_view name) {
  const std::size_t colon = name.find(':');
  if (colon == std::string_view::npos || colon + 1 == name.size() || !IsLetter(name.front())) return false;
  return std::ranges::all_of(name.substr(0, colon),
                             [](char c) { return IsLetter(c) || IsDigit(c) || c == '+' || c == '-' || c == '.'; });
}

void LintTextForm(const Element& name, unsigned number, const char* what, Findings& findings) {
  const std::string_view text = base::AsText(name.content);
  const bool good = number == kMail ? IsMailbox(text) : number == kHost ? IsHostName(text, true) : IsAbsoluteUri(text);
  if (good) return;
  const char* kind = number == kMail   ? "rfc822Name is no mailbox"
                     : number == kHost ? "dNSName is no host name"
                                       : "URI is not absolute";
  findings.Add(RuleId::kAltName03, name.whole, fmt::format("{}: the {}: \"{}\"", what, kind, text.substr(0, 80)));
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

bool LintGeneralName(const Element& name, const char* what, NamePlace place, Findings& findings) {
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
  if (number == kAddress) LintAddress(name, what, place, findings);
  if (number == 8 && DottedOid(name.content).starts_with("invalid:"))
    findings.Add(RuleId::kDerOid01, name.whole, fmt::format("{}: a registeredID is no object identifier", what));
  const bool text = number == kMail || number == kHost || number == kUri;
  const std::uint8_t* const bad = text ? FirstInvisible(name.content) : nullptr;
  if (text && bad == nullptr && !name.content.empty() && place == NamePlace::kName)
    LintTextForm(name, number, what, findings);
  if (bad != nullptr) {
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
    if (LintGeneralName(*name, what, NamePlace::kName, findings) && name->content.empty())
      findings.Add(RuleId::kAltName01, name->whole, fmt::format("{} has an empty name", what));
  }
}

void LintSubtree(base::ByteView content, Findings& findings) {
  DerReader parts(content, "extension nameConstraints", findings);
  const auto name = parts.TakeAny("base");
  if (name && LintGeneralName(*name, "a subtree of nameConstraints", NamePlace::kSubtree, findings)) {
    const unsigned number = name->identifier & 0x1fU;
    if (number == 3 || number == 5 || number == 8)
      findings.Add(RuleId::kNameConstraints04, name->whole,
                   fmt::format("a subtree is of the {}", number == 3   ? "x400Address"
                                                         : number == 5 ? "ediPartyName"
                                                                       : "registeredID"));
  }
  if (name && name->identifier == tag::Context(kAddress)) LintMask(*name, findings);
  if (name && name->identifier == tag::Context(kHost) && base::AsText(name->content).starts_with('.'))
    findings.Add(RuleId::kNameConstraints06, name->whole,
                 fmt::format("the dNSName of a subtree begins with a period: \"{}\"",
                             base::AsText(name->content).substr(0, 80)));
  const auto minimum = parts.TakeIf(tag::Context(0));
  if (minimum) LintImplicitInteger(*minimum, "minimum", findings);
  if (minimum && SmallIntegerOf(minimum->content) == 0U) {
    findings.Add(RuleId::kDerDefault01, minimum->whole, "minimum 0 is the default and must not be encoded");
  } else if (minimum) {
    findings.Add(RuleId::kNameConstraints03, minimum->whole,
                 fmt::format("the minimum of a subtree is {} where it must be 0", HexExcerpt(minimum->content)));
  }
  if (const auto maximum = parts.TakeIf(tag::Context(1))) {
    LintImplicitInteger(*maximum, "maximum", findings);
    findings.Add(RuleId::kNameConstraints03, maximum->whole, "a subtree has a maximum");
  }
  parts.Finish();
}

void LintAccessDescriptions(base::ByteView content, Findings& findings) {
  DerReader list(content, "extension infoAccess", findings);
  do {
    const auto description = list.Take(tag::kSequence, "AccessDescription");
    if (!description) return;
    DerReader parts(description->content, "extension infoAccess", findings);
    parts.Take(tag::kOid, "accessMethod");
    if (parts.failed()) return;
    const auto name = parts.TakeAny("accessLocation");
    if (name && LintGeneralName(*name, "accessLocation", NamePlace::kName, findings) && name->content.empty())
      findings.Add(RuleId::kAltName01, name->whole, "accessLocation is empty");
    parts.Finish();
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
