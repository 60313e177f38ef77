#include "ceremony/steps/certificate_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ceremony/x509/certificate_facts.h"
#include "ceremony/x509/view.h"
#include "hsm/base/encoding.h"

namespace ceremony::steps {
namespace {

constexpr std::size_t kLongestChain = 16;
constexpr std::int64_t kParts = 10;  // one of them may go by while people are waited for

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
  x509::CertificateFacts facts = x509::CertificateFactsOf(tbs);
  effect.subject = std::move(facts.subject);
  effect.subject_der = std::move(facts.subject_der);
  effect.alternative_name = std::move(facts.alternative_name);
  effect.serial = std::move(facts.serial);
  effect.not_before = std::move(facts.not_before);
  effect.not_after = std::move(facts.not_after);
  effect.spki_sha256 = std::move(facts.spki_sha256);
  effect.subject_key_id = std::move(facts.subject_key_id);
  effect.key_usage = std::move(facts.key_usage);
  effect.ca = facts.ca;
  effect.path_length = facts.path_length;
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

bool HasWaitedTooLong(std::int64_t from, std::int64_t until, std::int64_t now) {
  return now >= until || now - from > (until - from) / kParts;
}

std::string TbsSuffix(int edition) { return edition == 1 ? ".tbs.der" : fmt::format(".tbs-{}.der", edition); }

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

}  // namespace ceremony::steps
