#include "ceremony/x509/issue.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/issue_parts.h"
#include "ceremony/x509/lint.h"
#include "ceremony/x509/openssl_check.h"
#include "ceremony/x509/rule_id.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {
namespace {

base::Result<void> BothDecodersAgree(const base::Result<Fields>& openssl, const Fields& ours, const char* what) {
  if (!openssl) return base::Refusal("OPENSSL-02", fmt::format("{}: {}", what, openssl.error().message));
  const Comparison comparison = CompareDecoders(*openssl, ours);
  if (!comparison.AllEqual())
    return parts::Differs(RuleId::kCompare02, fmt::format("{}: two decoders differ", what), comparison);
  return {};
}

}  // namespace

base::Result<LintedTbs> LintTbs(Tbs tbs) {
  KC_RETURN_IF_ERROR(parts::CheckClean("to-be-signed certificate", LintTbsBytes(tbs.der())));
  return LintedTbs(std::move(tbs));
}

base::Result<ComparedTbs> CompareTbs(LintedTbs linted, const Profile& profile, const TbsInput& input) {
  const Tbs& tbs = linted.tbs();
  Comparison comparison = CompareWithProfile(tbs.view(), profile, &input, tbs.der().data());
  if (!comparison.AllEqual())
    return parts::Differs(RuleId::kCompare01, "to-be-signed certificate and profile " + profile.name, comparison);
  KC_RETURN_IF_ERROR(BothDecodersAgree(OpensslTbsFields(tbs.der()), FieldsOf(tbs.view()), "to-be-signed certificate"));
  return ComparedTbs(std::move(linted), std::move(comparison), profile);
}

base::Result<ApprovedTbs> ApproveTbs(ComparedTbs compared, const base::Sha256Digest& approved) {
  KC_RETURN_IF_ERROR(parts::CheckApproved("to-be-signed certificate", approved, compared.Digest()));
  return ApprovedTbs(std::move(compared));
}

base::Result<Certificate> FinishCertificate(const ApprovedTbs& approved, const base::PublicKey& issuer_key,
                                            base::ByteView signature) {
  const base::ByteView subject_key = approved.tbs().view().spki.whole;
  const base::ByteView signing_key = issuer_key.spki();
  if (approved.self_signed() &&
      !std::equal(subject_key.begin(), subject_key.end(), signing_key.begin(), signing_key.end())) {
    return base::Refusal("TBS-KEY-02",
                         fmt::format("a self-signed certificate for the key {} was to be signed by the key {}",
                                     base::Sha256Hex(subject_key), issuer_key.SpkiSha256Hex()));
  }
  KC_RETURN_IF_ERROR(parts::CheckSignatureForm(issuer_key, signature));
  KC_ASSIGN_OR_RETURN(
      Certificate certificate,
      Certificate::Parse(parts::Assemble(approved.to_be_signed(), approved.signature_algorithm(), signature)));
  KC_RETURN_IF_ERROR(parts::CheckInside("certificate", certificate.tbs().whole, approved.to_be_signed()));
  auto verified = certificate.VerifiedBy(issuer_key);
  if (!verified) return std::move(verified).error().Prefixed("the certificate's signature");
  KC_RETURN_IF_ERROR(parts::CheckClean("certificate", LintCertificate(certificate.der())));
  KC_RETURN_IF_ERROR(BothDecodersAgree(OpensslFields(certificate.der()), certificate.fields(), "certificate"));
  return certificate;
}

}  // namespace ceremony::x509
