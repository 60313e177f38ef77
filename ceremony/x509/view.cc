#include "ceremony/x509/view.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/rule_id.h"
#include "ceremony/x509/view_parts.h"

namespace ceremony::x509 {
namespace {

void ParseExtension(const Element& element, std::span<const ExtensionView> before, ExtensionView& extension,
                    Findings& findings) {
  extension = {};
  extension.whole = element.whole;
  DerReader reader(element.content, "extension", findings);
  if (const auto oid = reader.Take(tag::kOid, "extnID")) {
    extension.oid = oid->content;
    extension.known = FindOid(oid->content);
  }
  if (const auto critical = reader.TakeIf(tag::kBoolean)) {
    extension.critical = BooleanOf(critical->content);
    if (!extension.critical)
      findings.Add(RuleId::kDerDefault01, critical->whole, "critical FALSE is the default and must not be encoded");
  }
  if (const auto value = reader.Take(tag::kOctetString, "extnValue")) {
    extension.value = value->content;
    extension.sound = CheckDer(value->content, findings);
  }
  reader.Finish();
  for (const ExtensionView& other : before) {
    if (!extension.oid.empty() && std::ranges::equal(other.oid, extension.oid)) {
      findings.Add(RuleId::kExtension01, element.whole,
                   fmt::format("extension {} stands twice", OidText(extension.oid)));
    }
  }
}

}  // namespace

namespace parts {

void ParseAlgorithm(const Element& element, const char* what, AlgorithmView& view, Findings& findings) {
  view.whole = element.whole;
  DerReader reader(element.content, what, findings);
  if (const auto oid = reader.Take(tag::kOid, "algorithm")) view.oid = oid->content;
  if (!reader.AtEnd() && !reader.failed()) {
    if (const auto parameters = reader.TakeAny("parameters")) view.parameters = parameters->whole;
  }
  reader.Finish();
}

void ParseTime(const Element& element, const char* field, TimeView& view, Findings& findings) {
  view.identifier = element.identifier;
  view.whole = element.whole;
  const std::string_view text = base::AsText(element.content);
  if (element.identifier == tag::kUtcTime) {
    view.seconds = ParseUtcTime(text);
  } else if (element.identifier == tag::kGeneralizedTime) {
    view.seconds = ParseGeneralizedTime(text);
  } else {
    findings.Add(RuleId::kTime03, element.whole, fmt::format("{} has the tag {:02x}", field, element.identifier));
  }
}

void CheckNameForm(base::ByteView content, const char* what, Findings& findings) {
  DerReader rdns(content, what, findings);
  while (!rdns.AtEnd() && !rdns.failed()) {
    const auto rdn = rdns.Take(tag::kSet, "relative distinguished name");
    if (!rdn) return;
    DerReader attributes(rdn->content, what, findings);
    do {
      const auto attribute = attributes.Take(tag::kSequence, "attribute");
      if (!attribute) return;
      DerReader parts(attribute->content, what, findings);
      parts.Take(tag::kOid, "attribute type");
      parts.TakeAny("attribute value");
      parts.Finish();
    } while (!attributes.AtEnd());
  }
}

void ParseSpki(const Element& element, SpkiView& view, Findings& findings) {
  view.whole = element.whole;
  DerReader reader(element.content, "subjectPublicKeyInfo", findings);
  if (const auto algorithm = reader.Take(tag::kSequence, "algorithm")) {
    ParseAlgorithm(*algorithm, "algorithm of the key", view.algorithm, findings);
  }
  if (const auto bits = reader.Take(tag::kBitString, "subjectPublicKey")) {
    if (const auto split = BitStringOf(bits->content)) {
      view.bits = split->bits;
      if (split->unused != 0) {
        findings.Add(RuleId::kKey02, bits->whole, fmt::format("the public key states {} unused bits", split->unused));
      }
    }
  }
  reader.Finish();
}

std::size_t ParseExtensionList(const Element& sequence, std::span<ExtensionView> list, Findings& findings) {
  if (sequence.content.empty()) findings.Add(RuleId::kExtension02, sequence.whole, "the list of extensions is empty");
  DerReader extensions(sequence.content, "extensions", findings);
  std::size_t count = 0;
  while (!extensions.AtEnd() && !extensions.failed()) {
    const auto extension = extensions.Take(tag::kSequence, "Extension");
    if (!extension) break;
    if (count == list.size()) {
      findings.Add(RuleId::kExtension04, extension->whole,
                   fmt::format("more than {} extensions, the rest is not read", list.size()));
      break;
    }
    ParseExtension(*extension, list.first(count), list[count], findings);
    ++count;
  }
  return count;
}

const ExtensionView* FindExtension(std::span<const ExtensionView> extensions, Oid oid) {
  const auto found = std::find_if(extensions.begin(), extensions.end(),
                                  [oid](const ExtensionView& extension) { return extension.known == oid; });
  return found == extensions.end() ? nullptr : &*found;
}

std::optional<Element> Outermost(base::ByteView bytes, const char* what, Findings& findings) {
  if (!CheckDer(bytes, findings)) return std::nullopt;
  const Header header = ReadElement(bytes);
  if (header.element.identifier != tag::kSequence) {
    findings.Add(RuleId::kForm01, bytes,
                 fmt::format("{} must have the tag 30, here is {:02x}", what, header.element.identifier));
    return std::nullopt;
  }
  return header.element;
}

}  // namespace parts

namespace {

void ParseExtensions(const Element& outer, TbsView& view, Findings& findings) {
  view.extensions_whole = outer.whole;
  DerReader reader(outer.content, "extensions", findings);
  const auto list = reader.Take(tag::kSequence, "Extensions");
  reader.Finish();
  if (list) view.extension_count = parts::ParseExtensionList(*list, view.extension_list, findings);
}

void ParseVersion(const Element& outer, TbsView& view, Findings& findings) {
  DerReader reader(outer.content, "version", findings);
  const auto number = reader.Take(tag::kInteger, "Version");
  reader.Finish();
  if (!number) return;
  const auto value = SmallIntegerOf(number->content);
  if (value && *value <= 2) view.version = *value + 1;
  if (value == 0U) findings.Add(RuleId::kDerDefault01, outer.whole, "version 1 is the default and must not be encoded");
  if (!value || *value > 2) findings.Add(RuleId::kVersion01, number->whole, "the version is none of 1, 2 and 3");
}

// The element has been through CheckDer.
bool ParseTbsElement(const Element& element, TbsView& view, Findings& findings) {
  view.whole = element.whole;
  DerReader reader(element.content, "tbsCertificate", findings);
  if (const auto version = reader.TakeIf(tag::ContextConstructed(0))) ParseVersion(*version, view, findings);
  if (const auto serial = reader.Take(tag::kInteger, "serialNumber")) view.serial = serial->content;
  if (const auto algorithm = reader.Take(tag::kSequence, "signature")) {
    parts::ParseAlgorithm(*algorithm, "signature algorithm", view.signature, findings);
  }
  if (const auto issuer = reader.Take(tag::kSequence, "issuer")) {
    view.issuer = issuer->whole;
    parts::CheckNameForm(issuer->content, "issuer", findings);
  }
  if (const auto validity = reader.Take(tag::kSequence, "validity")) {
    DerReader times(validity->content, "validity", findings);
    if (const auto time = times.TakeAny("notBefore")) parts::ParseTime(*time, "notBefore", view.not_before, findings);
    if (const auto time = times.TakeAny("notAfter")) parts::ParseTime(*time, "notAfter", view.not_after, findings);
    times.Finish();
  }
  if (const auto subject = reader.Take(tag::kSequence, "subject")) {
    view.subject = subject->whole;
    parts::CheckNameForm(subject->content, "subject", findings);
  }
  if (const auto spki = reader.Take(tag::kSequence, "subjectPublicKeyInfo"))
    parts::ParseSpki(*spki, view.spki, findings);
  if (const auto id = reader.TakeIf(tag::Context(1))) view.issuer_unique_id = id->whole;
  if (const auto id = reader.TakeIf(tag::Context(2))) view.subject_unique_id = id->whole;
  if (const auto extensions = reader.TakeIf(tag::ContextConstructed(3))) ParseExtensions(*extensions, view, findings);
  reader.Finish();
  return !view.spki.whole.empty();
}

}  // namespace

const ExtensionView* TbsView::Find(Oid oid) const { return parts::FindExtension(extensions(), oid); }

bool ParseTbs(base::ByteView bytes, TbsView& view, Findings& findings) {
  view = {};
  const auto element = parts::Outermost(bytes, "tbsCertificate", findings);
  return element && ParseTbsElement(*element, view, findings);
}

bool ParseCertificate(base::ByteView bytes, CertificateView& view, Findings& findings) {
  return parts::ParseSigned(bytes, "certificate", "tbsCertificate", "signatureValue", view, findings,
                            [&](const Element& element) { return ParseTbsElement(element, view.tbs, findings); });
}

NameReader::NameReader(base::ByteView name) {
  const Header header = ReadElement(name);
  if (header.element.identifier == tag::kSequence) rdns_ = header.element.content;
}

std::optional<AttributeView> NameReader::Next() {
  const auto take = [](base::ByteView& rest) -> std::optional<Element> {
    const Header header = ReadElement(rest);
    if (header.element.whole.empty()) {
      rest = {};
      return std::nullopt;
    }
    rest = rest.subspan(header.element.whole.size());
    return header.element;
  };
  AttributeView attribute;
  while (attributes_.empty()) {
    if (rdns_.empty()) return std::nullopt;
    const auto rdn = take(rdns_);
    if (!rdn) return std::nullopt;
    attributes_ = rdn->content;
    attribute.first_of_rdn = true;
  }
  const auto sequence = take(attributes_);
  if (!sequence) return std::nullopt;
  base::ByteView parts = sequence->content;
  const auto type = take(parts);
  const auto value = take(parts);
  if (!type || !value) return std::nullopt;
  attribute.whole = sequence->whole;
  attribute.type = type->content;
  attribute.encoding = value->identifier;
  attribute.value = value->content;
  return attribute;
}

bool IsSelfIssued(const TbsView& tbs) { return std::ranges::equal(tbs.issuer, tbs.subject); }

}  // namespace ceremony::x509
