#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "ceremony/steps/certificate_facts.h"
#include "ceremony/steps/certificate_order.h"
#include "ceremony/steps/show_comparison.h"
#include "ceremony/steps/signing_key.h"
#include "ceremony/x509/certificate_facts.h"
#include "ceremony/x509/issue.h"
#include "ceremony/x509/openssl_check.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/sign.h"

namespace ceremony::steps {
namespace {

constexpr std::int64_t kMicros = 1'000'000;

std::int64_t Now(StepContext& context) { return context.clock().UtcMicros() / kMicros; }

// Issuing is one order under way: the chain above and the two keys, read once.
class Issuing final {
 public:
  static base::Result<Issuing> Open(const CertificateOrder& order, StepContext& context) {
    std::vector<x509::Certificate> chain;
    if (!order.issuer.empty()) {
      KC_ASSIGN_OR_RETURN(chain, ReadChain(order.issuer, context));
    }
    KC_ASSIGN_OR_RETURN(base::PublicKey issuer_key, KnownPublicKey(order.issuer_key, context));
    KC_ASSIGN_OR_RETURN(base::PublicKey subject_key, KnownPublicKey(order.subject_key, context));
    return Issuing(order, context, std::move(chain), std::move(issuer_key), std::move(subject_key));
  }

  base::Result<x509::Certificate> SignOrTakeOver() {
    if (context_.progress().FindArtefact(CertificateDer(order_.certificate)) != nullptr) {
      KC_ASSIGN_OR_RETURN(const base::Bytes der, context_.ReadArtefact(CertificateDer(order_.certificate)));
      KC_ASSIGN_OR_RETURN(x509::Certificate certificate, x509::Certificate::Parse(der));
      KC_RETURN_IF_ERROR(certificate.VerifiedBy(issuer_key_));
      context_.terminal().Say(room::Tone::kPlain,
                              "The certificate was signed before the interruption; it is taken over.");
      return certificate;
    }
    x509::TbsInput input{subject_key_};
    input.subject = order_.subject;
    input.extensions = order_.extensions;
    input.alternative_names = order_.alternative_names;
    if (!chain_.empty()) input.authority = x509::AuthorityOf(chain_.front());
    KC_ASSIGN_OR_RETURN(x509::Tbs tbs, BuildOrTakeOver(input));
    KC_RETURN_IF_ERROR(FitsTheEstate(tbs.view()));
    KC_ASSIGN_OR_RETURN(x509::LintedTbs linted, x509::LintTbs(std::move(tbs)));
    KC_ASSIGN_OR_RETURN(x509::ComparedTbs compared, x509::CompareTbs(std::move(linted), profile_, input));
    KC_RETURN_IF_ERROR(Show(compared));
    KC_ASSIGN_OR_RETURN(const x509::ApprovedTbs ready, Approve(std::move(compared)));

    KC_ASSIGN_OR_RETURN(const SigningKey key, OpenSigningKey(order_.issuer_key, order_.token, context_));
    const auto busy = context_.terminal().ShowBusy("The token is signing");
    const base::SignatureScheme scheme = x509::FactsOf(ready.signature_algorithm()).scheme;
    KC_ASSIGN_OR_RETURN(const base::Bytes signature, hsm::Sign(*key.session, key.pair, scheme, ready.to_be_signed(),
                                                               hsm::Consequence::kCeremonyKey));
    KC_ASSIGN_OR_RETURN(x509::Certificate certificate, x509::FinishCertificate(ready, key.pair.public_key, signature));
    KC_RETURN_IF_ERROR(CheckWithOpenssl(certificate));
    return certificate;
  }

 private:
  Issuing(const CertificateOrder& order, StepContext& context, std::vector<x509::Certificate> chain,
          base::PublicKey issuer_key, base::PublicKey subject_key)
      : order_(order),
        context_(context),
        profile_(context.inputs().FindProfile(order.profile)->profile),
        chain_(std::move(chain)),
        issuer_key_(std::move(issuer_key)),
        subject_key_(std::move(subject_key)) {}

  // A TBS is not made anew after an interruption, so that serial and dates stay those that people have seen, unless
  // too much of its time has gone by.
  base::Result<x509::Tbs> BuildOrTakeOver(x509::TbsInput& input) {
    while (context_.progress().FindArtefact(CertificateTbs(order_.certificate, edition_ + 1)) != nullptr) ++edition_;
    if (context_.progress().FindArtefact(CertificateTbs(order_.certificate, edition_)) != nullptr) {
      KC_ASSIGN_OR_RETURN(const base::Bytes der, context_.ReadArtefact(CertificateTbs(order_.certificate, edition_)));
      KC_ASSIGN_OR_RETURN(x509::Tbs tbs, x509::Tbs::Parse(der));
      const std::int64_t from = tbs.view().not_before.seconds.value_or(0);
      const std::int64_t until = tbs.view().not_after.seconds.value_or(std::numeric_limits<std::int64_t>::max());
      if (!HasWaitedTooLong(from, until, Now(context_))) {
        input.serial = base::ToBytes(tbs.view().serial);
        input.not_before = from;
        return tbs;
      }
      ++edition_;
      context_.terminal().Say(
          room::Tone::kWarning,
          fmt::format(
              "The certificate that was shown before the interruption is valid from {} to {}. It has waited too "
              "long, and is made anew.",
              x509::RfcTime(from), x509::RfcTime(until)));
    }
    KC_ASSIGN_OR_RETURN(const base::Bytes random, context_.TokenRandom(order_.token, profile_.serial_octets));
    input.serial = x509::SerialFromRandom(random);
    input.not_before = Now(context_);
    return x509::BuildTbs(profile_, input);
  }

  base::Result<void> FitsTheEstate(const x509::TbsView& tbs) {
    const std::string serial = base::HexEncode(tbs.serial);
    for (const estate::Certificate& known : context_.estate().certificates()) {
      if (known.issuer_key != order_.issuer_key || known.serial != serial) continue;
      return base::Refusal("CERT-SERIAL-01",
                           fmt::format("token {} gave the serial number {}, which key {} has used for {}", order_.token,
                                       serial, order_.issuer_key, known.name),
                           "a generator that repeats itself cannot be trusted: stop, and verify the token");
    }
    KC_RETURN_IF_ERROR(Nests(tbs));
    return order_.like.empty() ? base::Result<void>() : IsLike(tbs);
  }

  base::Result<void> Nests(const x509::TbsView& tbs) const {
    if (chain_.empty()) return {};
    const x509::TbsView& issuer = chain_.front().tbs();
    if (tbs.not_before.seconds >= issuer.not_before.seconds && tbs.not_after.seconds <= issuer.not_after.seconds)
      return {};
    const x509::Fields own = x509::FieldsOf(tbs);
    const x509::Fields above = chain_.front().fields();
    return base::Refusal(
        "CERT-NEST-01",
        fmt::format("certificate {} would be valid from {} to {}, its issuer {} is from {} to {}", order_.certificate,
                    own.not_before, own.not_after, order_.issuer, above.not_before, above.not_after),
        "shorten the profile's validity, or renew the issuer first");
  }

  base::Result<void> IsLike(const x509::TbsView& tbs) {
    KC_ASSIGN_OR_RETURN(const x509::Certificate other, ReadCertificate(order_.like, context_));
    const auto differs = [&](const char* what, base::ByteView own, base::ByteView others) -> base::Result<void> {
      if (std::equal(own.begin(), own.end(), others.begin(), others.end())) return {};
      return base::Refusal("CERT-LIKE-01",
                           fmt::format("the {} of {} would be {}, of {} it is {}", what, order_.certificate,
                                       base::HexEncode(own), order_.like, base::HexEncode(others)),
                           "a cross-certificate repeats both byte by byte: choose a profile that does");
    };
    KC_RETURN_IF_ERROR(differs("subject", tbs.subject, other.tbs().subject));
    return differs("subject key identifier", x509::SubjectKeyIdOf(tbs), x509::SubjectKeyIdOf(other.tbs()));
  }

  base::Result<void> Show(const x509::ComparedTbs& compared) {
    KC_RETURN_IF_ERROR(
        context_.WriteArtefact(CertificateTbs(order_.certificate, edition_), "tbs", compared.tbs().der()));
    KC_RETURN_IF_ERROR(context_.Record("observe", {{"what", "profile-comparison"},
                                                   {"certificate", order_.certificate},
                                                   {"profile", profile_.name},
                                                   {"clause", profile_.clause},
                                                   {"tbs_sha256", base::HexEncode(compared.Digest())},
                                                   {"rows", ComparisonJson(compared.comparison())}}));
    ShowComparison(compared.comparison(), profile_.name, "certificate has", context_.terminal());
    context_.terminal().ShowDigest("to be signed", compared.Digest());
    return {};
  }

  base::Result<x509::ApprovedTbs> Approve(x509::ComparedTbs compared) {
    const base::Sha256Digest digest = compared.Digest();
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> located, context_.LocateToken(order_.token));
    nlohmann::json subject = {{"certificate", order_.certificate},
                              {"key", order_.issuer_key},
                              {"profile", profile_.name},
                              {"serial", located->info().serial},
                              {"tbs_sha256", base::HexEncode(digest)},
                              {"tbs", base::Base64Encode(compared.tbs().der())}};
    if (!order_.issuer.empty()) {
      subject["subject_key"] = order_.subject_key;
      subject["issuer"] = order_.issuer;
    }
    KC_RETURN_IF_ERROR(context_.Approve(
        fmt::format("Sign the certificate {} with key {}", order_.certificate, order_.issuer_key), subject));
    return x509::ApproveTbs(std::move(compared), digest);
  }

  base::Result<void> CheckWithOpenssl(const x509::Certificate& certificate) {
    std::vector<base::Bytes> between;
    for (std::size_t i = 0; i + 1 < chain_.size(); ++i) between.push_back(base::ToBytes(chain_[i].der()));
    const base::Bytes der = base::ToBytes(certificate.der());
    const base::Bytes root = chain_.empty() ? der : base::ToBytes(chain_.back().der());
    const auto findings = x509::OpensslVerify(der, between, {root}, Now(context_));
    if (findings.empty()) return {};
    return base::Refusal(std::string(findings.front().facts().id), findings.front().Text(),
                         "the certificate was signed but is not released");
  }

  const CertificateOrder& order_;
  StepContext& context_;
  int edition_ = 1;  // of the bytes to be signed
  const x509::Profile& profile_;
  std::vector<x509::Certificate> chain_;  // the issuer's first; empty: self-signed
  base::PublicKey issuer_key_;
  base::PublicKey subject_key_;
};

}  // namespace

base::Result<void> Certify(const CertificateOrder& order, StepContext& context) {
  KC_ASSIGN_OR_RETURN(Issuing issuing, Issuing::Open(order, context));
  KC_ASSIGN_OR_RETURN(const x509::Certificate certificate, issuing.SignOrTakeOver());
  KC_RETURN_IF_ERROR(context.WriteArtefact(CertificateDer(order.certificate), "certificate", certificate.der()));
  KC_RETURN_IF_ERROR(
      context.WriteArtefact(CertificatePem(order.certificate), "certificate-pem", base::AsBytes(certificate.Pem())));
  const x509::Fields fields = certificate.fields();
  context.terminal().ShowFacts({{"certificate", order.certificate},
                                {"subject", fields.subject},
                                {"issuer", fields.issuer},
                                {"serial", fields.serial_hex},
                                {"valid from", fields.not_before},
                                {"valid to", fields.not_after}});
  context.terminal().ShowDigest("fingerprint (SHA-256)", base::Sha256Of(certificate.der()));

  estate::CertificateIssued effect;
  effect.certificate = order.certificate;
  effect.profile = context.inputs().FindProfile(order.profile)->profile.name;
  effect.key = order.subject_key;
  effect.issuer_key = order.issuer_key;
  effect.issuer_certificate = order.issuer.empty() ? order.certificate : order.issuer;
  effect.sha256 = certificate.Sha256Hex();
  effect.artefact = CertificateDer(order.certificate);
  TakeFacts(certificate.tbs(), effect);
  return context.Achieve(effect);
}

}  // namespace ceremony::steps
