#include "ceremony/x509/issue.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/der_writer.h"
#include "ceremony/x509/lint.h"
#include "ceremony/x509/openssl_check.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {
namespace {

// Splits findings into those that people have waived and those that block.
std::vector<Finding> Blocking(std::vector<Finding> findings, std::span<const std::string> waived_rules,
                              std::vector<Finding>& waived) {
  const auto is_waived = [&](const Finding& finding) {
    return finding.facts().severity == Severity::kGoodPractice &&
           std::find(waived_rules.begin(), waived_rules.end(), finding.facts().id) != waived_rules.end();
  };
  std::vector<Finding> blocking;
  for (Finding& finding : findings) (is_waived(finding) ? waived : blocking).push_back(std::move(finding));
  return blocking;
}

base::Error RefusedBy(const std::string& what, const std::vector<Finding>& findings) {
  std::string message = what;
  for (const Finding& finding : findings)
    message += fmt::format("{}{}", &finding == &findings.front() ? ": " : "; ", finding.Text());
  return base::Refusal(std::string(findings.front().facts().id), std::move(message));
}

base::Error Differs(RuleId rule, const std::string& what, const Comparison& comparison) {
  std::vector<Finding> findings = comparison.ToFindings();
  for (Finding& finding : findings) finding.rule = rule;
  return RefusedBy(what, findings);
}

base::Result<void> BothDecodersAgree(const base::Result<Fields>& openssl, const Fields& ours, const char* what) {
  if (!openssl) return base::Refusal("OPENSSL-02", fmt::format("{}: {}", what, openssl.error().message));
  const Comparison comparison = CompareDecoders(*openssl, ours);
  if (!comparison.AllEqual())
    return Differs(RuleId::kCompare02, fmt::format("{}: two decoders differ", what), comparison);
  return {};
}

base::Bytes Assemble(const ApprovedTbs& approved, base::ByteView signature) {
  DerWriter writer;
  writer.Nested(tag::kSequence, [&] {
    writer.Raw(approved.to_be_signed());
    writer.Raw(IdentifierOf(approved.signature_algorithm()));
    writer.BitString(signature);
  });
  return std::move(writer).Take();
}

std::optional<base::Curve> CurveOf(base::KeyAlgorithm algorithm) {
  switch (algorithm) {
    case base::KeyAlgorithm::kEcP256:
      return base::Curve::kP256;
    case base::KeyAlgorithm::kEcP384:
      return base::Curve::kP384;
    case base::KeyAlgorithm::kEcP521:
      return base::Curve::kP521;
    default:
      return std::nullopt;
  }
}

}  // namespace

base::Result<LintedTbs> LintTbs(Tbs tbs, std::span<const std::string> waived_rules) {
  std::vector<Finding> waived;
  const std::vector<Finding> blocking = Blocking(LintTbsBytes(tbs.der()), waived_rules, waived);
  if (!blocking.empty()) return RefusedBy("to-be-signed certificate", blocking);
  return LintedTbs(std::move(tbs), std::move(waived));
}

base::Result<ComparedTbs> CompareTbs(LintedTbs linted, const Profile& profile, const TbsInput& input) {
  const Tbs& tbs = linted.tbs();
  Comparison comparison = CompareWithProfile(tbs.view(), profile, &input, tbs.der().data());
  if (!comparison.AllEqual())
    return Differs(RuleId::kCompare01, "to-be-signed certificate and profile " + profile.name, comparison);
  KC_RETURN_IF_ERROR(BothDecodersAgree(OpensslTbsFields(tbs.der()), FieldsOf(tbs.view()), "to-be-signed certificate"));
  return ComparedTbs(std::move(linted), std::move(comparison), profile);
}

base::Result<ApprovedTbs> ApproveTbs(ComparedTbs compared, const base::Sha256Digest& approved) {
  const base::Sha256Digest actual = compared.Digest();
  if (actual != approved) {
    return base::Refusal("TBS-APPROVAL-01",
                         fmt::format("people approved the to-be-signed certificate {}, this one is {}",
                                     base::HexEncode(approved), base::HexEncode(actual)),
                         "ask for approval of these bytes");
  }
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
  if (const auto curve = CurveOf(issuer_key.algorithm()))
    KC_RETURN_IF_ERROR(base::CheckStrictLowSDer(*curve, signature));
  KC_ASSIGN_OR_RETURN(Certificate certificate, Certificate::Parse(Assemble(approved, signature)));

  const base::ByteView inside = certificate.tbs().whole;
  const base::ByteView wanted = approved.to_be_signed();
  if (!std::equal(inside.begin(), inside.end(), wanted.begin(), wanted.end())) {
    return base::MakeError(base::ErrorCode::kCorrupt,
                           fmt::format("the certificate holds the to-be-signed part {}, approved was {}",
                                       base::Sha256Hex(inside), base::Sha256Hex(wanted)));
  }
  auto verified = certificate.VerifiedBy(issuer_key);
  if (!verified) return std::move(verified).error().Prefixed("the certificate's signature");

  std::vector<std::string> waived_rules;
  for (const Finding& finding : approved.compared().linted().waived()) waived_rules.emplace_back(finding.facts().id);
  std::vector<Finding> waived;
  const std::vector<Finding> blocking = Blocking(LintCertificate(certificate.der()), waived_rules, waived);
  if (!blocking.empty()) return RefusedBy("certificate", blocking);
  KC_RETURN_IF_ERROR(BothDecodersAgree(OpensslFields(certificate.der()), certificate.fields(), "certificate"));
  return certificate;
}

}  // namespace ceremony::x509
