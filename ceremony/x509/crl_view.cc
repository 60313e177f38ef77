#include "ceremony/x509/crl_view.h"

#include <fmt/format.h>

#include "ceremony/x509/rule_id.h"
#include "ceremony/x509/view_parts.h"

namespace ceremony::x509 {
namespace {

void ParseVersion(const Element& number, TbsCertListView& view, Findings& findings) {
  const auto value = SmallIntegerOf(number.content);
  if (value == 1U) {
    view.version = 2;
  } else {
    findings.Add(RuleId::kCrlVersion01, number.whole, "the version of a CRL is 2, or it is not encoded");
  }
}

void ParseExtensions(const Element& outer, TbsCertListView& view, Findings& findings) {
  view.extensions_whole = outer.whole;
  DerReader reader(outer.content, "crlExtensions", findings);
  const auto list = reader.Take(tag::kSequence, "Extensions");
  reader.Finish();
  if (list) view.extension_count = parts::ParseExtensionList(*list, view.extension_list, findings);
}

bool IsTime(std::uint8_t identifier) { return identifier == tag::kUtcTime || identifier == tag::kGeneralizedTime; }

// The element has been through CheckDer.
bool ParseTbsElement(const Element& element, TbsCertListView& view, Findings& findings) {
  view.whole = element.whole;
  DerReader reader(element.content, "tbsCertList", findings);
  if (const auto version = reader.TakeIf(tag::kInteger)) ParseVersion(*version, view, findings);
  if (const auto algorithm = reader.Take(tag::kSequence, "signature")) {
    parts::ParseAlgorithm(*algorithm, "signature algorithm", view.signature, findings);
  }
  if (const auto issuer = reader.Take(tag::kSequence, "issuer")) {
    view.issuer = issuer->whole;
    parts::CheckNameForm(issuer->content, "issuer", findings);
  }
  if (const auto time = reader.TakeAny("thisUpdate")) parts::ParseTime(*time, "thisUpdate", view.this_update, findings);
  if (IsTime(reader.Peek())) {
    if (const auto time = reader.TakeAny("nextUpdate"))
      parts::ParseTime(*time, "nextUpdate", view.next_update.emplace(), findings);
  }
  if (const auto revoked = reader.TakeIf(tag::kSequence)) {
    view.revoked_whole = revoked->whole;
    view.revoked = revoked->content;
    if (revoked->content.empty())
      findings.Add(RuleId::kCrlList01, revoked->whole, "revokedCertificates is empty; it must be left out");
    RevokedReader entries(revoked->content, findings);
    while (entries.Next()) ++view.revoked_count;
  }
  if (const auto extensions = reader.TakeIf(tag::ContextConstructed(0))) ParseExtensions(*extensions, view, findings);
  reader.Finish();
  return !reader.failed() && !view.issuer.empty() && !view.this_update.whole.empty();
}

// The first directoryName of a certificateIssuer; all of it where there is none.
base::ByteView IssuerIn(const ExtensionView& extension) {
  base::ByteView names = ReadElement(extension.value).element.content;
  while (true) {
    const Element name = ReadElement(names).element;
    if (name.whole.empty()) return extension.value;
    if (name.identifier == tag::ContextConstructed(4)) return name.content;
    names = names.subspan(name.whole.size());
  }
}

}  // namespace

const ExtensionView* RevokedView::Find(Oid oid) const { return parts::FindExtension(extensions(), oid); }
const ExtensionView* TbsCertListView::Find(Oid oid) const { return parts::FindExtension(extensions(), oid); }

std::optional<RevokedView> RevokedReader::Next() {
  if (rest_.empty()) return std::nullopt;
  DerReader entries(rest_, "revokedCertificates", *findings_);
  const auto element = entries.Take(tag::kSequence, "entry");
  rest_ = entries.rest();
  if (!element) {
    rest_ = {};
    return std::nullopt;
  }
  RevokedView entry;
  entry.whole = element->whole;
  DerReader reader(element->content, "entry of revokedCertificates", *findings_);
  if (const auto serial = reader.Take(tag::kInteger, "userCertificate")) entry.serial = serial->content;
  if (const auto time = reader.TakeAny("revocationDate"))
    parts::ParseTime(*time, "revocationDate", entry.revoked_at, *findings_);
  if (const auto extensions = reader.TakeIf(tag::kSequence)) {
    entry.extension_count = parts::ParseExtensionList(*extensions, entry.extension_list, *findings_);
  }
  reader.Finish();
  if (const ExtensionView* issuer = entry.Find(Oid::kCertificateIssuer)) issuer_ = IssuerIn(*issuer);
  entry.issuer = issuer_;
  return entry;
}

bool ParseTbsCertList(base::ByteView bytes, TbsCertListView& view, Findings& findings) {
  view = {};
  const auto element = parts::Outermost(bytes, "tbsCertList", findings);
  return element && ParseTbsElement(*element, view, findings);
}

bool ParseCrl(base::ByteView bytes, CrlView& view, Findings& findings) {
  return parts::ParseSigned(bytes, "CRL", "tbsCertList", "signatureValue", view, findings,
                            [&](const Element& element) { return ParseTbsElement(element, view.tbs, findings); });
}

}  // namespace ceremony::x509
