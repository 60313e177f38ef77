#include "ceremony/steps/certificate_facts.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/view.h"
#include "hsm/base/clock.h"
#include "hsm/base/encoding.h"

namespace ceremony::steps {
namespace {

constexpr std::int64_t kMicros = 1'000'000;
constexpr std::size_t kLongestChain = 16;

// basicConstraints of bytes that were linted: what is malformed reads as its default.
void TakeBasicConstraints(base::ByteView value, estate::CertificateIssued& effect) {
  x509::Findings findings(value);
  x509::DerReader outer(value, "basicConstraints", findings);
  const auto sequence = outer.Take(x509::tag::kSequence, "BasicConstraints");
  if (!sequence) return;
  x509::DerReader parts(sequence->content, "basicConstraints", findings);
  if (const auto ca = parts.TakeIf(x509::tag::kBoolean)) effect.ca = x509::BooleanOf(ca->content);
  if (const auto length = parts.TakeIf(x509::tag::kInteger))
    effect.path_length = static_cast<std::int64_t>(x509::SmallIntegerOf(length->content).value_or(0));
}

std::string TextOf(const x509::TbsView& tbs, x509::Oid oid) {
  const x509::ExtensionView* extension = tbs.Find(oid);
  return extension == nullptr ? std::string() : x509::ExtensionText(*extension);
}

}  // namespace

void TakeFacts(const x509::Profile& profile, estate::CertificateIssued& effect) {
  for (const x509::ExtensionRule& rule : profile.extensions) {
    if (const auto* basic = std::get_if<x509::BasicConstraintsRule>(&rule.value)) {
      effect.ca = basic->ca;
      if (basic->path_length) effect.path_length = *basic->path_length;
    } else if (const auto* usage = std::get_if<x509::KeyUsageRule>(&rule.value)) {
      effect.key_usage = x509::KeyUsageText(usage->bits);
    }
  }
}

void TakeFacts(const x509::TbsView& tbs, estate::CertificateIssued& effect) {
  if (const x509::ExtensionView* basic = tbs.Find(x509::Oid::kBasicConstraints))
    TakeBasicConstraints(basic->value, effect);
  effect.key_usage = TextOf(tbs, x509::Oid::kKeyUsage);
  effect.alternative_name = TextOf(tbs, x509::Oid::kSubjectAltName);
  effect.subject = x509::NameText(tbs.subject);
  effect.subject_der = base::Base64Encode(tbs.subject);
  effect.serial = base::HexEncode(tbs.serial);
  if (tbs.not_before.seconds) effect.not_before = RfcTime(*tbs.not_before.seconds);
  if (tbs.not_after.seconds) effect.not_after = RfcTime(*tbs.not_after.seconds);
  effect.spki_sha256 = base::Sha256Hex(tbs.spki.whole);
  effect.subject_key_id = base::HexEncode(SubjectKeyIdOf(tbs));
}

std::string RfcTime(std::int64_t utc_seconds) { return base::FormatTime(utc_seconds * kMicros).substr(0, 19) + "Z"; }

std::optional<std::int64_t> SecondsOf(const std::string& rfc3339) {
  std::string digits;
  for (const char c : rfc3339.substr(0, 19)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  return x509::ParseGeneralizedTime(digits + "Z");
}

base::Bytes SubjectKeyIdOf(const x509::TbsView& tbs) {
  const x509::ExtensionView* extension = tbs.Find(x509::Oid::kSubjectKeyIdentifier);
  return extension == nullptr ? base::Bytes() : base::ToBytes(x509::ReadElement(extension->value).element.content);
}

x509::SubjectValues SubjectValuesOf(base::ByteView name, const x509::Profile& profile) {
  x509::SubjectValues values;
  x509::NameReader reader(name);
  while (const auto attribute = reader.Next()) {
    for (const x509::AttributeRule& rule : profile.subject) {
      const auto type = x509::OidContent(rule.type);
      if (rule.value || !type.ok() ||
          !std::equal(type->begin(), type->end(), attribute->type.begin(), attribute->type.end()))
        continue;
      const bool bits = attribute->encoding == x509::tag::kBitString && !attribute->value.empty();
      values[rule.type] =
          bits ? base::HexEncode(attribute->value.subspan(1)) : std::string(base::AsText(attribute->value));
    }
  }
  return values;
}

base::Result<x509::Certificate> ReadCertificate(const std::string& name, StepContext& context) {
  const estate::Certificate* known = context.estate().FindCertificate(name);
  if (known == nullptr)
    return base::MakeError(base::ErrorCode::kNotFound, fmt::format("the estate has no certificate {}", name));
  KC_ASSIGN_OR_RETURN(const base::Bytes der, context.ReadArchived(known->since, known->artefact, known->sha256));
  auto read = x509::Certificate::Parse(der);
  if (!read.ok()) return std::move(read).error().Prefixed(name);
  return read;
}

const estate::Certificate* IssuerOf(const estate::Certificate& certificate, const estate::Estate& estate) {
  // Records of 0.1.0 have self-signed certificates only, and do not name the issuer's.
  if (certificate.issuer_certificate.empty() || certificate.issuer_certificate == certificate.name) return nullptr;
  return estate.FindCertificate(certificate.issuer_certificate);
}

base::Result<std::vector<x509::Certificate>> ReadChain(const std::string& name, StepContext& context) {
  std::vector<x509::Certificate> chain;
  const estate::Certificate* next = context.estate().FindCertificate(name);
  if (next == nullptr)
    return base::MakeError(base::ErrorCode::kNotFound, fmt::format("the estate has no certificate {}", name));
  for (; next != nullptr && chain.size() < kLongestChain; next = IssuerOf(*next, context.estate())) {
    KC_ASSIGN_OR_RETURN(x509::Certificate certificate, ReadCertificate(next->name, context));
    chain.push_back(std::move(certificate));
  }
  return chain;
}

x509::Authority AuthorityOf(const x509::Certificate& certificate) {
  const x509::TbsView& tbs = certificate.tbs();
  return {base::ToBytes(tbs.subject), SubjectKeyIdOf(tbs), base::ToBytes(tbs.serial), base::ToBytes(tbs.issuer)};
}

}  // namespace ceremony::steps
