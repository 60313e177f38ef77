#include "ceremony/x509/certificate_facts.h"

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/certificate.h"
#include "ceremony/x509/lint_set_tables.h"
#include "ceremony/x509/name.h"
#include "hsm/base/clock.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {
namespace {

constexpr std::int64_t kMicros = 1'000'000;

std::string TextOf(const TbsView& tbs, Oid oid) {
  const ExtensionView* extension = tbs.Find(oid);
  return extension == nullptr ? std::string() : ExtensionText(*extension);
}

}  // namespace

CertificateFacts CertificateFactsOf(const TbsView& tbs) {
  CertificateFacts facts;
  facts.subject = NameText(tbs.subject);
  facts.subject_der = base::Base64Encode(tbs.subject);
  facts.alternative_name = TextOf(tbs, Oid::kSubjectAltName);
  facts.serial = base::HexEncode(tbs.serial);
  if (tbs.not_before.seconds) facts.not_before = RfcTime(*tbs.not_before.seconds);
  if (tbs.not_after.seconds) facts.not_after = RfcTime(*tbs.not_after.seconds);
  facts.spki_sha256 = base::Sha256Hex(tbs.spki.whole);
  facts.subject_key_id = base::HexEncode(SubjectKeyIdOf(tbs));
  facts.key_usage = TextOf(tbs, Oid::kKeyUsage);
  const set::Constraints constraints = set::ConstraintsOf(tbs);
  facts.ca = constraints.ca;
  if (constraints.path_length) facts.path_length = *constraints.path_length;
  return facts;
}

base::Bytes SubjectKeyIdOf(const TbsView& tbs) { return base::ToBytes(set::SubjectKeyIdOf(tbs)); }

Authority AuthorityOf(const Certificate& certificate) {
  const TbsView& tbs = certificate.tbs();
  return {base::ToBytes(tbs.subject), SubjectKeyIdOf(tbs), base::ToBytes(tbs.serial), base::ToBytes(tbs.issuer)};
}

std::string RfcTime(std::int64_t utc_seconds) { return base::FormatTime(utc_seconds * kMicros).substr(0, 19) + "Z"; }

std::optional<std::int64_t> SecondsOf(const std::string& rfc3339) {
  std::string digits;
  for (const char c : rfc3339.substr(0, 19)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  return ParseGeneralizedTime(digits + "Z");
}

}  // namespace ceremony::x509
