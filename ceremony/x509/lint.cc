#include "ceremony/x509/lint.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/curves.h"
#include "ceremony/x509/lint_parts.h"
#include "ceremony/x509/lint_smki.h"
#include "ceremony/x509/lint_webpki.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {
namespace {

void LintSerial(const TbsView& tbs, Findings& findings) {
  const base::ByteView serial = tbs.serial;
  if (serial.empty()) return;  // DER-INTEGER-01 has said so
  const bool zero = std::all_of(serial.begin(), serial.end(), [](std::uint8_t octet) { return octet == 0; });
  if (zero || (serial[0] & 0x80U) != 0) {
    findings.Add(RuleId::kSerial01, serial, fmt::format("the serial number is {}", zero ? "zero" : "negative"));
  }
  if (serial.size() > 20)
    findings.Add(RuleId::kSerial02, serial,
                 fmt::format("the serial number has {} octets, 20 are the most", serial.size()));
}

void LintTime(const TimeView& time, const char* field, Findings& findings) {
  if (!time.seconds) return;  // DER-TIME-* or X509-TIME-03 has said so
  const bool utc = time.identifier == tag::kUtcTime;
  if (!utc && *time.seconds < kFirstGeneralizedTime) {
    findings.Add(RuleId::kTime01, time.whole,
                 fmt::format("{} is GeneralizedTime {} where UTCTime is used before 2050", field,
                             FormatGeneralizedTime(*time.seconds)));
  }
}

void LintValidity(const TbsView& tbs, Findings& findings) {
  LintTime(tbs.not_before, "notBefore", findings);
  LintTime(tbs.not_after, "notAfter", findings);
  if (tbs.not_before.seconds && tbs.not_after.seconds && *tbs.not_after.seconds < *tbs.not_before.seconds) {
    findings.Add(RuleId::kTime02, tbs.not_after.whole,
                 fmt::format("notAfter {} is before notBefore {}", ReadableTime(*tbs.not_after.seconds),
                             ReadableTime(*tbs.not_before.seconds)));
  }
}

void LintVersion(const TbsView& tbs, Findings& findings) {
  if (!tbs.extensions_whole.empty() && tbs.version != 3) {
    findings.Add(RuleId::kVersion01, tbs.whole,
                 fmt::format("the certificate has extensions and is version {}", tbs.version));
  }
  for (const base::ByteView id : {tbs.issuer_unique_id, tbs.subject_unique_id}) {
    if (!id.empty()) findings.Add(RuleId::kUniqueId01, id, "the certificate has a unique identifier");
  }
}

void LintParts(const TbsView& tbs, const Curves& curves, Domain domain, Findings& findings) {
  LintVersion(tbs, findings);
  LintSerial(tbs, findings);
  lint::LintAlgorithm(tbs.signature, findings);
  LintValidity(tbs, findings);
  lint::LintKey(tbs.spki, curves, findings);
  const lint::ExtensionSummary summary = lint::LintExtensions(tbs, findings);
  lint::LintNames(tbs, summary, findings);
  if (domain == Domain::kSmki || (domain == Domain::kByPolicy && lint::IsSmki(tbs)))
    lint::LintSmki(tbs, summary, findings);
  if (domain == Domain::kWebPki || (domain == Domain::kByPolicy && lint::IsWebPki(tbs)))
    lint::LintWebPki(tbs, summary, findings);
}

}  // namespace

struct Linter::Impl {
  Domain domain;
  Curves curves;
};

Linter::Linter(Domain domain) : impl_(std::make_unique<Impl>()) { impl_->domain = domain; }
Linter::~Linter() = default;
Linter::Linter(Linter&&) noexcept = default;
Linter& Linter::operator=(Linter&&) noexcept = default;

bool Linter::CheckTbs(base::ByteView bytes, TbsView& view, Findings& findings) const {
  if (!ParseTbs(bytes, view, findings)) return false;
  LintParts(view, impl_->curves, impl_->domain, findings);
  return true;
}

bool Linter::CheckCertificate(base::ByteView bytes, CertificateView& view, Findings& findings) const {
  if (!ParseCertificate(bytes, view, findings)) return false;
  LintParts(view.tbs, impl_->curves, impl_->domain, findings);
  lint::LintSignature(view, impl_->curves, findings);
  return true;
}

std::vector<Finding> LintCertificate(base::ByteView der) {
  Findings findings(der);
  CertificateView view;
  Linter(Domain::kByPolicy).CheckCertificate(der, view, findings);
  return std::move(findings).Take();
}

std::vector<Finding> LintTbsBytes(base::ByteView der) {
  Findings findings(der);
  TbsView view;
  Linter(Domain::kByPolicy).CheckTbs(der, view, findings);
  return std::move(findings).Take();
}

}  // namespace ceremony::x509
