#include "ceremony/x509/crl_issue.h"

#include <fmt/format.h>

#include "ceremony/x509/issue_parts.h"
#include "ceremony/x509/rule_id.h"

namespace ceremony::x509 {
namespace {

base::Result<void> BothDecodersAgree(const base::Result<CrlFields>& openssl, const CrlFields& ours, const char* what) {
  if (!openssl) return base::Refusal("OPENSSL-02", fmt::format("{}: {}", what, openssl.error().message));
  const Comparison comparison = CompareCrlDecoders(*openssl, ours);
  if (!comparison.AllEqual())
    return parts::Differs(RuleId::kCompare02, fmt::format("{}: two decoders differ", what), comparison);
  return {};
}

}  // namespace

base::Result<LintedCertList> LintTbsCertList(TbsCertList tbs) {
  KC_RETURN_IF_ERROR(parts::CheckClean("to-be-signed CRL", LintCertListBytes(tbs.der())));
  return LintedCertList(std::move(tbs));
}

base::Result<ComparedCertList> CompareTbsCertList(LintedCertList linted, const CrlProfile& profile,
                                                  const CrlInput& input) {
  const TbsCertList& tbs = linted.tbs();
  Comparison comparison = CompareCertListWithProfile(tbs.view(), profile, &input, tbs.der().data());
  if (!comparison.AllEqual())
    return parts::Differs(RuleId::kCompare01, "to-be-signed CRL and profile " + profile.name, comparison);
  KC_RETURN_IF_ERROR(BothDecodersAgree(OpensslCertListFields(tbs.der()), CrlFieldsOf(tbs.view()), "to-be-signed CRL"));
  return ComparedCertList(std::move(linted), std::move(comparison), profile.signature_algorithm);
}

base::Result<ApprovedCertList> ApproveTbsCertList(ComparedCertList compared, const base::Sha256Digest& approved) {
  KC_RETURN_IF_ERROR(parts::CheckApproved("to-be-signed CRL", approved, compared.Digest()));
  return ApprovedCertList(std::move(compared));
}

base::Result<Crl> FinishCrl(const ApprovedCertList& approved, const base::PublicKey& issuer_key,
                            base::ByteView signature) {
  KC_RETURN_IF_ERROR(parts::CheckSignatureForm(issuer_key, signature));
  KC_ASSIGN_OR_RETURN(Crl crl,
                      Crl::Parse(parts::Assemble(approved.to_be_signed(), approved.signature_algorithm(), signature)));
  KC_RETURN_IF_ERROR(parts::CheckInside("CRL", crl.tbs().whole, approved.to_be_signed()));
  auto verified = crl.VerifiedBy(issuer_key);
  if (!verified) return std::move(verified).error().Prefixed("the CRL's signature");
  KC_RETURN_IF_ERROR(parts::CheckClean("CRL", LintCrl(crl.der())));
  KC_RETURN_IF_ERROR(BothDecodersAgree(OpensslCrlFields(crl.der()), crl.fields(), "CRL"));
  return crl;
}

}  // namespace ceremony::x509
