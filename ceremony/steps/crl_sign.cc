#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>
#include <utility>

#include "ceremony/steps/certificate_facts.h"
#include "ceremony/steps/crl_order.h"
#include "ceremony/steps/show_comparison.h"
#include "ceremony/steps/signing_key.h"
#include "ceremony/x509/certificate_facts.h"
#include "ceremony/x509/crl_issue.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/sign.h"

namespace ceremony::steps {
namespace {

constexpr std::int64_t kMicros = 1'000'000;

// Listing is one CRL under way.
class Listing final {
 public:
  static base::Result<Listing> Open(const CrlOrder& order, StepContext& context) {
    KC_ASSIGN_OR_RETURN(x509::Certificate issuer, ReadCertificate(order.issuer, context));
    KC_ASSIGN_OR_RETURN(base::PublicKey key, KnownPublicKey(order.issuer_key, context));
    KC_ASSIGN_OR_RETURN(x509::CrlProfile profile, CrlProfileOf(order, context.inputs()));
    return Listing(order, context, std::move(profile), std::move(issuer), std::move(key));
  }

  base::Result<x509::Crl> SignOrTakeOver() {
    const auto& progress = context_.progress();
    if (progress.FindArtefact(CrlDer(order_.crl)) != nullptr) {
      KC_ASSIGN_OR_RETURN(const base::Bytes der, context_.ReadArtefact(CrlDer(order_.crl)));
      KC_ASSIGN_OR_RETURN(x509::Crl crl, x509::Crl::Parse(der));
      KC_RETURN_IF_ERROR(crl.VerifiedBy(key_));
      context_.terminal().Say(room::Tone::kPlain, "The CRL was signed before the interruption; it is taken over.");
      return crl;
    }
    KC_ASSIGN_OR_RETURN(auto built, BuildOrTakeOver());
    KC_ASSIGN_OR_RETURN(x509::LintedCertList linted, x509::LintTbsCertList(std::move(built.first)));
    KC_ASSIGN_OR_RETURN(x509::ComparedCertList compared,
                        x509::CompareTbsCertList(std::move(linted), profile_, built.second));
    KC_RETURN_IF_ERROR(Show(compared));
    KC_ASSIGN_OR_RETURN(const x509::ApprovedCertList ready, Approve(std::move(compared)));

    KC_ASSIGN_OR_RETURN(const SigningKey signing, OpenSigningKey(order_.issuer_key, order_.token, context_));
    const auto busy = context_.terminal().ShowBusy("The token is signing");
    const base::SignatureScheme scheme = x509::FactsOf(ready.signature_algorithm()).scheme;
    KC_ASSIGN_OR_RETURN(const base::Bytes signature, hsm::Sign(*signing.session, signing.pair, scheme,
                                                               ready.to_be_signed(), hsm::Consequence::kCeremonyKey));
    return x509::FinishCrl(ready, signing.pair.public_key, signature);
  }

  const x509::CrlProfile& profile() const { return profile_; }

 private:
  Listing(const CrlOrder& order, StepContext& context, x509::CrlProfile profile, x509::Certificate issuer,
          base::PublicKey key)
      : order_(order),
        context_(context),
        profile_(std::move(profile)),
        issuer_(std::move(issuer)),
        key_(std::move(key)) {}

  // A list is not made anew after an interruption, so that its times stay those that people have seen; but nobody is
  // given one that is over, or soon will be.
  base::Result<std::pair<x509::TbsCertList, x509::CrlInput>> BuildOrTakeOver() {
    const std::int64_t now = context_.clock().UtcMicros() / kMicros;
    while (context_.progress().FindArtefact(CrlTbs(order_.crl, edition_ + 1)) != nullptr) ++edition_;
    if (context_.progress().FindArtefact(CrlTbs(order_.crl, edition_)) != nullptr) {
      KC_ASSIGN_OR_RETURN(const base::Bytes der, context_.ReadArtefact(CrlTbs(order_.crl, edition_)));
      KC_ASSIGN_OR_RETURN(x509::TbsCertList tbs, x509::TbsCertList::Parse(der));
      const std::int64_t from = tbs.view().this_update.seconds.value_or(0);
      const std::optional<std::int64_t> until = tbs.view().next_update ? tbs.view().next_update->seconds : std::nullopt;
      if (!until || !HasWaitedTooLong(from, *until, now)) {
        KC_ASSIGN_OR_RETURN(x509::CrlInput input, InputAt(from));
        return std::pair(std::move(tbs), std::move(input));
      }
      ++edition_;
      context_.terminal().Say(room::Tone::kWarning,
                              fmt::format("The list that was shown before the interruption is of {} and good until {}. "
                                          "It has waited too long, and is made anew.",
                                          x509::RfcTime(from), x509::RfcTime(*until)));
    }
    KC_ASSIGN_OR_RETURN(x509::CrlInput input, InputAt(now));
    KC_ASSIGN_OR_RETURN(x509::TbsCertList tbs, x509::BuildTbsCertList(profile_, input));
    return std::pair(std::move(tbs), std::move(input));
  }

  // Every certificate that an earlier list has revoked stays on, the new ones follow.
  base::Result<x509::CrlInput> InputAt(std::int64_t this_update) {
    x509::CrlInput input;
    input.authority = x509::AuthorityOf(issuer_);
    input.this_update = this_update;
    input.number = static_cast<std::uint64_t>(NumberOf(order_, context_.estate()));
    const estate::Estate& estate = context_.estate();
    const estate::Certificate* issuer = estate.FindCertificate(order_.issuer);
    if (const estate::Crl* last = estate.FindLastCrl(base::Base64Encode(issuer_.tbs().subject)))
      input.previous_number = static_cast<std::uint64_t>(last->number);
    std::vector<const estate::Certificate*> before;
    for (const estate::Certificate& known : estate.certificates()) {
      if (known.revoked() && IsOnCrl(known, *issuer, estate) && profile_.Lists(known.ca)) before.push_back(&known);
    }
    std::stable_sort(before.begin(), before.end(),
                     [](const auto* a, const auto* b) { return a->revoked_on < b->revoked_on; });
    for (const estate::Certificate* known : before)
      KC_RETURN_IF_ERROR(Add(*known, known->revocation_reason, known->revoked_on, "", input));
    for (const CrlOrder::Revoke& revoke : order_.revoke) {
      const estate::Certificate* known = estate.FindCertificate(revoke.certificate);
      if (known == nullptr) {
        return base::Refusal("EST-CERT-03", fmt::format("CRL {} revokes certificate {}, which the estate does not know",
                                                        order_.crl, revoke.certificate));
      }
      KC_RETURN_IF_ERROR(Add(*known, revoke.reason, revoke.on.empty() ? x509::RfcTime(this_update) : revoke.on,
                             revoke.invalid_since, input));
    }
    return input;
  }

  static base::Result<void> Add(const estate::Certificate& certificate, const std::string& reason,
                                const std::string& on, const std::string& invalid_since, x509::CrlInput& input) {
    x509::Revocation revocation;
    KC_ASSIGN_OR_RETURN(revocation.serial, base::HexDecode(certificate.serial));
    revocation.revoked_at = x509::SecondsOf(on).value_or(0);
    const auto known = x509::FindRevocationReason(reason);
    if (known && *known != x509::RevocationReason::kUnspecified) revocation.reason = *known;
    if (!invalid_since.empty()) revocation.invalid_since = x509::SecondsOf(invalid_since);
    input.revocations.push_back(std::move(revocation));
    return {};
  }

  base::Result<void> Show(const x509::ComparedCertList& compared) {
    KC_RETURN_IF_ERROR(context_.WriteArtefact(CrlTbs(order_.crl, edition_), "crl-tbs", compared.tbs().der()));
    nlohmann::json revoked = nlohmann::json::array();
    std::vector<room::Fact> facts;
    for (const CrlOrder::Revoke& revoke : order_.revoke) {
      const estate::Certificate* known = context_.estate().FindCertificate(revoke.certificate);
      revoked.push_back({{"certificate", revoke.certificate}, {"serial", known->serial}, {"reason", revoke.reason}});
      facts.push_back({"revoked now", fmt::format("{} ({}): {}", revoke.certificate, known->subject, revoke.reason)});
    }
    KC_RETURN_IF_ERROR(context_.Record("observe", {{"what", "profile-comparison"},
                                                   {"crl", order_.crl},
                                                   {"profile", profile_.name},
                                                   {"clause", profile_.clause},
                                                   {"tbs_sha256", base::HexEncode(compared.Digest())},
                                                   {"revoked", std::move(revoked)},
                                                   {"rows", ComparisonJson(compared.comparison())}}));
    if (!facts.empty()) context_.terminal().ShowFacts(facts);
    ShowComparison(compared.comparison(), profile_.name, "CRL has", context_.terminal());
    context_.terminal().ShowDigest("to be signed", compared.Digest());
    return {};
  }

  base::Result<x509::ApprovedCertList> Approve(x509::ComparedCertList compared) {
    const base::Sha256Digest digest = compared.Digest();
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> located, context_.LocateToken(order_.token));
    nlohmann::json revoked = nlohmann::json::array();
    std::string names;
    for (const CrlOrder::Revoke& revoke : order_.revoke) {
      revoked.push_back({{"certificate", revoke.certificate}, {"reason", revoke.reason}});
      names += (names.empty() ? ", which revokes " : ", ") + revoke.certificate;
    }
    KC_RETURN_IF_ERROR(
        context_.Approve(fmt::format("Sign the CRL {} with key {}{}", order_.crl, order_.issuer_key, names),
                         {{"crl", order_.crl},
                          {"key", order_.issuer_key},
                          {"issuer", order_.issuer},
                          {"profile", profile_.name},
                          {"revoked", std::move(revoked)},
                          {"serial", located->info().serial},
                          {"tbs_sha256", base::HexEncode(digest)},
                          {"tbs", base::Base64Encode(compared.tbs().der())}}));
    return x509::ApproveTbsCertList(std::move(compared), digest);
  }

  const CrlOrder& order_;
  StepContext& context_;
  int edition_ = 1;  // of the bytes to be signed
  x509::CrlProfile profile_;
  x509::Certificate issuer_;
  base::PublicKey key_;
};

}  // namespace

base::Result<void> SignCrl(const CrlOrder& order, StepContext& context) {
  KC_ASSIGN_OR_RETURN(Listing listing, Listing::Open(order, context));
  KC_ASSIGN_OR_RETURN(const x509::Crl crl, listing.SignOrTakeOver());
  KC_RETURN_IF_ERROR(context.WriteArtefact(CrlDer(order.crl), "crl", crl.der()));
  KC_RETURN_IF_ERROR(context.WriteArtefact(CrlPem(order.crl), "crl-pem", base::AsBytes(crl.Pem())));
  const x509::CrlFields fields = crl.fields();
  estate::CrlIssued effect;
  effect.crl = order.crl;
  effect.profile = listing.profile().name;
  effect.issuer_key = order.issuer_key;
  effect.issuer = fields.issuer;
  effect.issuer_der = base::Base64Encode(crl.tbs().issuer);
  effect.issuer_certificate = order.issuer;
  effect.number = static_cast<std::int64_t>(crl.Number().value_or(0));
  if (crl.tbs().this_update.seconds) effect.this_update = x509::RfcTime(*crl.tbs().this_update.seconds);
  if (crl.tbs().next_update && crl.tbs().next_update->seconds)
    effect.next_update = x509::RfcTime(*crl.tbs().next_update->seconds);
  effect.revoked = static_cast<std::int64_t>(crl.tbs().revoked_count);
  effect.sha256 = crl.Sha256Hex();
  effect.artefact = CrlDer(order.crl);
  context.terminal().ShowFacts({{"CRL", order.crl},
                                {"issuer", effect.issuer},
                                {"number", std::to_string(effect.number)},
                                {"revoked", std::to_string(effect.revoked)},
                                {"this update", fields.this_update},
                                {"next update", fields.next_update}});
  context.terminal().ShowDigest("fingerprint (SHA-256)", base::Sha256Of(crl.der()));
  for (const CrlOrder::Revoke& revoke : order.revoke) {
    KC_RETURN_IF_ERROR(context.Achieve(estate::CertificateRevoked{
        revoke.certificate, revoke.reason, revoke.on.empty() ? effect.this_update : revoke.on, order.crl}));
  }
  return context.Achieve(effect);
}

}  // namespace ceremony::steps
