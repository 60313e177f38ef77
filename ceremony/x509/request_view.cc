// The decoder of PKCS#10 (RFC 2986 section 4), strict and without OpenSSL.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "ceremony/x509/request.h"
#include "ceremony/x509/rule_id.h"
#include "ceremony/x509/view_parts.h"

namespace ceremony::x509 {
namespace {

// What other programs put into a request beside the extensions that it asks for.
std::string AttributeText(base::ByteView type) {
  constexpr std::pair<std::string_view, std::string_view> kForeign[] = {
      {"1.2.840.113549.1.9.2", "unstructuredName"},
      {"1.3.6.1.4.1.311.2.1.14", "Microsoft's own extensionRequest"},
      {"1.3.6.1.4.1.311.13.2.2", "Microsoft's enrolment provider"},
      {"1.3.6.1.4.1.311.13.2.3", "Microsoft's version of the system"},
      {"1.3.6.1.4.1.311.21.20", "Microsoft's description of the client"},
  };
  std::string text = OidText(type);
  for (const auto& [dotted, name] : kForeign) {
    if (text == dotted) return fmt::format("{} ({})", text, name);
  }
  return text;
}

void ParseAttribute(const Element& element, RequestInfoView& view, Findings& findings) {
  DerReader reader(element.content, "attribute", findings);
  const auto type = reader.Take(tag::kOid, "type");
  const auto values = reader.Take(tag::kSet, "values");
  reader.Finish();
  if (!type || !values) return;
  const auto before = std::span(view.attribute_types).first(view.attribute_count);
  if (std::any_of(before.begin(), before.end(),
                  [&](base::ByteView seen) { return std::ranges::equal(seen, type->content); })) {
    findings.Add(RuleId::kRequestAttribute02, element.whole,
                 fmt::format("the attribute {} stands twice", OidText(type->content)));
    return;
  }
  view.attribute_types.at(view.attribute_count++) = type->content;
  if (FindOid(type->content) != Oid::kExtensionRequest) {
    findings.Add(RuleId::kRequestAttribute01, element.whole,
                 fmt::format("the attribute {} is not extensionRequest", AttributeText(type->content)));
    return;
  }
  DerReader list(values->content, "extensionRequest", findings);
  const auto extensions = list.Take(tag::kSequence, "Extensions");
  if (!extensions) return;
  if (!list.AtEnd()) {
    findings.Add(RuleId::kRequestAttribute02, values->whole, "the attribute extensionRequest has more than one value");
    return;
  }
  view.extension_count = parts::ParseExtensionList(*extensions, view.extension_list, findings);
}

bool ParseInfoElement(const Element& element, RequestInfoView& view, Findings& findings) {
  view.whole = element.whole;
  DerReader reader(element.content, "certificationRequestInfo", findings);
  if (const auto version = reader.Take(tag::kInteger, "version"); version && SmallIntegerOf(version->content) != 0U)
    findings.Add(RuleId::kRequestVersion01, version->whole,
                 fmt::format("the version {} is not 0", HexExcerpt(version->content)));
  if (const auto subject = reader.Take(tag::kSequence, "subject")) {
    view.subject = subject->whole;
    parts::CheckNameForm(subject->content, "subject", findings);
  }
  if (const auto spki = reader.Take(tag::kSequence, "subjectPKInfo")) parts::ParseSpki(*spki, view.spki, findings);
  if (reader.failed()) return false;
  const auto attributes = reader.TakeIf(tag::ContextConstructed(0));
  reader.Finish();
  if (!attributes) {
    findings.Add(RuleId::kRequestAttribute03, element.whole, "there is no set of attributes");
    return true;
  }
  view.attributes_whole = attributes->whole;
  DerReader list(attributes->content, "attributes", findings);
  while (!list.AtEnd() && !list.failed()) {
    const auto attribute = list.Take(tag::kSequence, "attribute");
    if (!attribute) break;
    if (view.attribute_count == RequestInfoView::kMostAttributes) {
      findings.Add(RuleId::kRequestAttribute01, attribute->whole,
                   fmt::format("more than {} attributes, the rest is not read", RequestInfoView::kMostAttributes));
      break;
    }
    ParseAttribute(*attribute, view, findings);
  }
  return true;
}

}  // namespace

const ExtensionView* RequestInfoView::Find(Oid oid) const { return parts::FindExtension(extensions(), oid); }

bool ParseRequestInfo(base::ByteView bytes, RequestInfoView& view, Findings& findings) {
  view = {};
  const auto element = parts::Outermost(bytes, "certificationRequestInfo", findings);
  return element && ParseInfoElement(*element, view, findings);
}

bool ParseRequest(base::ByteView bytes, RequestView& view, Findings& findings) {
  return parts::ParseSigned(bytes, "certification request", "certificationRequestInfo", "signature", view, findings,
                            [&](const Element& element) { return ParseInfoElement(element, view.info, findings); });
}

}  // namespace ceremony::x509
