// ExtensionText: what a decoded extension says, in the words of RuleText.
#include <fmt/format.h>

#include <utility>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/certificate.h"
#include "ceremony/x509/crl_profile.h"
#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/general_name.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/oid.h"
#include "ceremony/x509/profile.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {
namespace {

using Text = std::optional<std::string>;

Text BasicConstraintsText(DerReader& reader) {
  const auto sequence = reader.Take(tag::kSequence, "BasicConstraints");
  if (!sequence) return std::nullopt;
  Findings findings(sequence->content);
  DerReader parts(sequence->content, "basicConstraints", findings);
  const auto ca = parts.TakeIf(tag::kBoolean);
  const auto length = parts.TakeIf(tag::kInteger);
  if (!parts.Finish()) return std::nullopt;
  const auto number = length ? SmallIntegerOf(length->content) : std::nullopt;
  if (length && !number) return std::nullopt;
  return fmt::format("{}, {}", ca && BooleanOf(ca->content) ? "CA" : "not a CA",
                     number ? fmt::format("path length {}", *number) : "no path length");
}

Text KeyUsageValueText(DerReader& reader) {
  const auto element = reader.Take(tag::kBitString, "KeyUsage");
  const auto split = element ? BitStringOf(element->content) : std::nullopt;
  if (!split || split->bits.size() > 2) return std::nullopt;
  std::uint16_t bits = 0;
  for (unsigned bit = 0; bit + split->unused < split->bits.size() * 8; ++bit) {
    if ((split->bits[bit / 8] & (0x80U >> (bit % 8))) == 0) continue;
    if (bit >= KeyUsageNames().size()) return std::nullopt;
    bits = static_cast<std::uint16_t>(bits | 1U << bit);
  }
  return KeyUsageText(bits);
}

Text OctetsText(DerReader& reader) {
  const auto octets = reader.Take(tag::kOctetString, "KeyIdentifier");
  if (!octets) return std::nullopt;
  return base::HexEncode(octets->content);
}

// One qualifier: id-qt-cps, or id-qt-unotice with an explicitText alone; with another the whole stays DER.
Text QualifierText(base::ByteView content, Findings& findings) {
  DerReader parts(content, "PolicyQualifierInfo", findings);
  const auto type = parts.Take(tag::kOid, "policyQualifierId");
  const bool notice = type && FindOid(type->content) == Oid::kUserNoticeQualifier;
  const auto value = parts.Take(notice ? tag::kSequence : tag::kIa5String, "qualifier");
  if (!type || !value || !parts.Finish()) return std::nullopt;
  if (notice) {
    DerReader inner(value->content, "UserNotice", findings);
    const auto text = inner.Take(tag::kUtf8String, "explicitText");
    if (!text || !inner.Finish()) return std::nullopt;
    return fmt::format(" (notice \"{}\")", SafeText(text->content));
  }
  if (FindOid(type->content) != Oid::kCpsQualifier) return std::nullopt;
  return fmt::format(" (CPS {})", SafeText(value->content));
}

Text PoliciesText(DerReader& reader) {
  const auto sequence = reader.Take(tag::kSequence, "CertificatePolicies");
  if (!sequence) return std::nullopt;
  Findings findings(sequence->content);
  DerReader policies(sequence->content, "certificatePolicies", findings);
  std::string text;
  while (!policies.AtEnd()) {
    const auto policy = policies.Take(tag::kSequence, "PolicyInformation");
    if (!policy) return std::nullopt;
    DerReader parts(policy->content, "PolicyInformation", findings);
    const auto oid = parts.Take(tag::kOid, "policyIdentifier");
    if (!oid) return std::nullopt;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", OidText(oid->content));
    if (const auto qualifiers = parts.TakeIf(tag::kSequence)) {
      DerReader list(qualifiers->content, "policyQualifiers", findings);
      while (!list.AtEnd()) {
        const auto qualifier = list.Take(tag::kSequence, "PolicyQualifierInfo");
        const Text spelled = qualifier ? QualifierText(qualifier->content, findings) : std::nullopt;
        if (!spelled) return std::nullopt;
        text += *spelled;
      }
    }
    if (!parts.Finish()) return std::nullopt;
  }
  return text;
}

Text AuthorityKeyText(DerReader& reader) {
  const auto sequence = reader.Take(tag::kSequence, "AuthorityKeyIdentifier");
  if (!sequence) return std::nullopt;
  Findings findings(sequence->content);
  DerReader parts(sequence->content, "authorityKeyIdentifier", findings);
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (const auto key = parts.TakeIf(tag::Context(0))) add("key identifier " + base::HexEncode(key->content));
  if (const auto names = parts.TakeIf(tag::ContextConstructed(1))) {
    DerReader list(names->content, "authorityCertIssuer", findings);
    const auto directory = list.Take(tag::ContextConstructed(4), "directoryName");
    if (!directory || !list.Finish()) return std::nullopt;
    add("issuer " + NameText(directory->content));
  }
  if (const auto serial = parts.TakeIf(tag::Context(2))) add("serial " + base::HexEncode(serial->content));
  return parts.Finish() ? Text(text) : std::nullopt;
}

Text PurposesText(DerReader& reader) {
  const auto sequence = reader.Take(tag::kSequence, "ExtKeyUsageSyntax");
  if (!sequence) return std::nullopt;
  Findings findings(sequence->content);
  DerReader list(sequence->content, "extKeyUsage", findings);
  std::string text;
  while (!list.AtEnd()) {
    const auto purpose = list.Take(tag::kOid, "KeyPurposeId");
    if (!purpose) return std::nullopt;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", OidText(purpose->content));
  }
  return text;
}

Text NumberText(DerReader& reader) {
  const auto number = reader.Take(tag::kInteger, "CRLNumber");
  if (!number || number->content.empty() || (number->content[0] & 0x80U) != 0) return std::nullopt;
  base::ByteView octets = number->content;
  while (octets.size() > 1 && octets[0] == 0) octets = octets.subspan(1);
  if (octets.size() > 8) return "hex " + base::HexEncode(octets);
  std::uint64_t value = 0;
  for (const std::uint8_t octet : octets) value = value << 8 | octet;
  return std::to_string(value);
}

Text ReasonText(DerReader& reader) {
  const auto element = reader.Take(tag::kEnumerated, "CRLReason");
  const auto number = element ? SmallIntegerOf(element->content) : std::nullopt;
  return number ? Text(RevocationReasonName(*number)) : std::nullopt;
}

Text DateText(DerReader& reader) {
  const auto element = reader.Take(tag::kGeneralizedTime, "InvalidityDate");
  const auto seconds = element ? ParseGeneralizedTime(base::AsText(element->content)) : std::nullopt;
  return seconds ? Text(ReadableTime(*seconds)) : std::nullopt;
}

// A fullName of one URI; anything else stays DER.
Text PointNameText(base::ByteView content, Findings& findings) {
  DerReader choice(content, "distributionPoint", findings);
  const auto full = choice.Take(tag::ContextConstructed(0), "fullName");
  if (!full || !choice.Finish()) return std::nullopt;
  DerReader names(full->content, "fullName", findings);
  const auto uri = names.Take(tag::Context(6), "uniformResourceIdentifier");
  if (!uri || !names.Finish()) return std::nullopt;
  return "URI " + SafeText(uri->content);
}

Text IssuingPointText(DerReader& reader) {
  const auto sequence = reader.Take(tag::kSequence, "IssuingDistributionPoint");
  if (!sequence) return std::nullopt;
  Findings findings(sequence->content);
  DerReader fields(sequence->content, "issuingDistributionPoint", findings);
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (const auto name = fields.TakeIf(tag::ContextConstructed(0))) {
    const Text spelled = PointNameText(name->content, findings);
    if (!spelled) return std::nullopt;
    add(*spelled);
  }
  for (const auto& [number, words] : {std::pair(1U, "only user certificates"), std::pair(2U, "only CA certificates"),
                                      std::pair(4U, "indirect"), std::pair(5U, "only attribute certificates")}) {
    const auto flag = fields.TakeIf(tag::Context(number));
    if (flag && BooleanOf(flag->content)) add(words);
  }
  return fields.Finish() ? Text(text) : std::nullopt;
}

Text AlternativeNamesText(DerReader& reader) {
  const auto sequence = reader.Take(tag::kSequence, "GeneralNames");
  if (!sequence) return std::nullopt;
  Findings findings(sequence->content);
  DerReader names(sequence->content, "GeneralNames", findings);
  std::string text;
  while (!names.AtEnd()) {
    const auto name = names.TakeAny("GeneralName");
    const Text spelled = name ? GeneralNameText(*name, NamePlace::kName) : std::nullopt;
    if (!spelled) return std::nullopt;
    text += (text.empty() ? "" : ", ") + *spelled;
  }
  return text;
}

Text DistributionPointsText(DerReader& reader) {
  const auto sequence = reader.Take(tag::kSequence, "CRLDistributionPoints");
  if (!sequence) return std::nullopt;
  Findings findings(sequence->content);
  DerReader points(sequence->content, "cRLDistributionPoints", findings);
  std::string text;
  while (!points.AtEnd()) {
    const auto point = points.Take(tag::kSequence, "DistributionPoint");
    if (!point) return std::nullopt;
    DerReader fields(point->content, "DistributionPoint", findings);
    const auto name = fields.Take(tag::ContextConstructed(0), "distributionPoint");
    const Text spelled = name ? PointNameText(name->content, findings) : std::nullopt;
    if (!spelled || !fields.Finish()) return std::nullopt;
    text += (text.empty() ? "" : ", ") + *spelled;
  }
  return text;
}

Text AccessText(DerReader& reader) {
  const auto sequence = reader.Take(tag::kSequence, "AuthorityInfoAccessSyntax");
  if (!sequence) return std::nullopt;
  Findings findings(sequence->content);
  DerReader list(sequence->content, "authorityInfoAccess", findings);
  std::string text;
  while (!list.AtEnd()) {
    const auto description = list.Take(tag::kSequence, "AccessDescription");
    if (!description) return std::nullopt;
    DerReader fields(description->content, "AccessDescription", findings);
    const auto method = fields.Take(tag::kOid, "accessMethod");
    const auto name = fields.TakeAny("accessLocation");
    const Text spelled = name ? GeneralNameText(*name, NamePlace::kName) : std::nullopt;
    if (!method || !spelled || !fields.Finish()) return std::nullopt;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", OidText(method->content), *spelled);
  }
  return text;
}

Text NameConstraintsText(DerReader& reader) {
  const auto sequence = reader.Take(tag::kSequence, "NameConstraints");
  if (!sequence) return std::nullopt;
  Findings findings(sequence->content);
  DerReader fields(sequence->content, "nameConstraints", findings);
  std::string text;
  for (const auto& [number, word] : {std::pair(0U, "permitted"), std::pair(1U, "excluded")}) {
    const auto list = fields.TakeIf(tag::ContextConstructed(number));
    if (!list) continue;
    DerReader subtrees(list->content, "nameConstraints", findings);
    while (!subtrees.AtEnd()) {
      const auto subtree = subtrees.Take(tag::kSequence, "GeneralSubtree");
      if (!subtree) return std::nullopt;
      DerReader inner(subtree->content, "GeneralSubtree", findings);
      const auto name = inner.TakeAny("base");
      const Text spelled = name ? GeneralNameText(*name, NamePlace::kSubtree) : std::nullopt;
      if (!spelled || !inner.Finish()) return std::nullopt;
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", word, *spelled);
    }
  }
  return fields.Finish() ? Text(text) : std::nullopt;
}

Text Spell(Oid type, DerReader& reader) {
  switch (type) {
    case Oid::kBasicConstraints:
      return BasicConstraintsText(reader);
    case Oid::kKeyUsage:
      return KeyUsageValueText(reader);
    case Oid::kSubjectKeyIdentifier:
      return OctetsText(reader);
    case Oid::kCertificatePolicies:
      return PoliciesText(reader);
    case Oid::kAuthorityKeyIdentifier:
      return AuthorityKeyText(reader);
    case Oid::kExtendedKeyUsage:
      return PurposesText(reader);
    case Oid::kSubjectAltName:
      return AlternativeNamesText(reader);
    case Oid::kCrlDistributionPoints:
      return DistributionPointsText(reader);
    case Oid::kAuthorityInfoAccess:
      return AccessText(reader);
    case Oid::kNameConstraints:
      return NameConstraintsText(reader);
    case Oid::kCrlNumber:
      return NumberText(reader);
    case Oid::kReasonCode:
      return ReasonText(reader);
    case Oid::kInvalidityDate:
      return DateText(reader);
    case Oid::kIssuingDistributionPoint:
      return IssuingPointText(reader);
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string ExtensionText(const ExtensionView& extension) {
  if (extension.known) {
    Findings findings(extension.value);
    DerReader reader(extension.value, "extension", findings);
    const Text text = Spell(*extension.known, reader);
    if (text && reader.Finish()) return *text;
  }
  return "DER " + base::HexEncode(extension.value);
}

}  // namespace ceremony::x509
