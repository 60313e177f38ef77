#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "ceremony/steps/certificate_order.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/mechanism_needs.h"
#include "ceremony/steps/show_comparison.h"
#include "ceremony/steps/signing_key.h"
#include "ceremony/x509/certificate.h"
#include "ceremony/x509/request.h"
#include "ceremony/x509/trial.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/sign.h"

namespace ceremony::steps {
namespace {

using script::Field;

std::string Artefact(const script::Step& step, const char* ending) {
  return "requests/" + step.fields.Text("request") + ending;
}
std::string RequestDer(const script::Step& step) { return Artefact(step, ".der"); }

const x509::Profile& ProfileOf(const script::Step& step, const script::Inputs& inputs) {
  return inputs.FindProfile(step.fields.Text("profile"))->profile;
}

base::Result<x509::ApprovedRequestInfo> Approve(const script::Step& step, StepContext& context,
                                                x509::ComparedRequestInfo compared) {
  const base::Sha256Digest digest = compared.Digest();
  const std::string& key = step.fields.Text("key");
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> located, context.LocateToken(step.fields.Text("token")));
  KC_RETURN_IF_ERROR(
      context.Approve(fmt::format("Sign the certificate request {} with key {}", step.fields.Text("request"), key),
                      {{"request", step.fields.Text("request")},
                       {"key", key},
                       {"profile", ProfileOf(step, context.inputs()).name},
                       {"serial", located->info().serial},
                       {"tbs_sha256", base::HexEncode(digest)},
                       {"tbs", base::Base64Encode(compared.info().der())}}));
  return x509::ApproveRequestInfo(std::move(compared), digest);
}

base::Result<x509::Request> SignOrTakeOver(const script::Step& step, StepContext& context) {
  if (context.progress().FindArtefact(RequestDer(step)) != nullptr) {
    KC_ASSIGN_OR_RETURN(const base::Bytes der, context.ReadArtefact(RequestDer(step)));
    KC_ASSIGN_OR_RETURN(x509::Request request, x509::Request::Parse(der));
    KC_RETURN_IF_ERROR(request.VerifyPossession());
    context.terminal().Say(room::Tone::kPlain, "The request was signed before the interruption; it is taken over.");
    return request;
  }
  const x509::Profile& profile = ProfileOf(step, context.inputs());
  KC_ASSIGN_OR_RETURN(const base::PublicKey known, KnownPublicKey(step.fields.Text("key"), context));
  const x509::RequestInput input{known, SubjectIn(step), AlternativeNamesIn(step)};
  // Nothing in a request depends on when it is made: built again it is the same bytes.
  KC_ASSIGN_OR_RETURN(x509::RequestInfo info, x509::BuildRequestInfo(profile, input));
  KC_ASSIGN_OR_RETURN(x509::LintedRequestInfo linted, x509::LintRequestInfo(std::move(info)));
  KC_ASSIGN_OR_RETURN(x509::ComparedRequestInfo compared, x509::CompareRequestInfo(std::move(linted), profile, input));
  KC_RETURN_IF_ERROR(context.WriteArtefact(Artefact(step, ".tbs.der"), "request-tbs", compared.info().der()));
  KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "profile-comparison"},
                                                {"request", step.fields.Text("request")},
                                                {"profile", profile.name},
                                                {"clause", profile.clause},
                                                {"tbs_sha256", base::HexEncode(compared.Digest())},
                                                {"rows", ComparisonJson(compared.comparison())}}));
  ShowComparison(compared.comparison(), profile.name, "request has", context.terminal());
  context.terminal().ShowDigest("to be signed", compared.Digest());
  KC_ASSIGN_OR_RETURN(const x509::ApprovedRequestInfo ready, Approve(step, context, std::move(compared)));
  KC_ASSIGN_OR_RETURN(const SigningKey key,
                      OpenSigningKey(step.fields.Text("key"), step.fields.Text("token"), context));
  const auto busy = context.terminal().ShowBusy("The token is signing");
  const base::SignatureScheme scheme = x509::FactsOf(ready.signature_algorithm()).scheme;
  KC_ASSIGN_OR_RETURN(const base::Bytes signature,
                      hsm::Sign(*key.session, key.pair, scheme, ready.to_be_signed(), hsm::Consequence::kCeremonyKey));
  return x509::FinishRequest(ready, signature);
}

class CsrCreateKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "csr.create",
        "Makes the certificate request (PKCS#10) of a key, for a CA elsewhere: built from the profile of the "
        "certificate that is asked for, linted, compared, approved, signed by the key, checked again.",
        "the request as an artefact, an `observe` entry with the comparison, `intent` and `done` around C_Sign",
        "RFC 2986; EN 319 411-1 6.3.1"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "csr.create",
        "Makes the certificate request of a key.",
        {Field::Id("token", "the token that signs").Refers(script::Reference::kToken),
         Field::Id("key", "the key that a certificate is asked for").Refers(script::Reference::kKey),
         Field::Id("profile", "the profile of the certificate that is asked for").Refers(script::Reference::kProfile),
         Field::Id("request", "the request's name, once in the whole archive").Refers(script::Reference::kArtefact),
         SubjectField(), AlternativeNamesField()},
        {}};
    return table;
  }

  std::vector<MechanismNeed> Mechanisms(const script::Step& step, const script::Inputs& inputs,
                                        const estate::Estate& estate) const override {
    return NeedsToSign(step.fields.Text("token"), step.fields.Text("key"), inputs, estate);
  }

  Approved approved() const override { return Approved::kResult; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Make the certificate request {} of key {}", step.fields.Text("request"),
                       step.fields.Text("key"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    plan.NeedsCommissionedToken(step.fields.Text("token"));
    plan.Takes(120);
    for (const char* ending : {".tbs.der", ".der", ".pem"}) plan.Writes("artefacts/" + Artefact(step, ending));
    if (plan.inputs().FindProfile(step.fields.Text("profile")) == nullptr) return;  // the script reader has refused it
    const x509::Profile& profile = ProfileOf(step, plan.inputs());
    const estate::Key* key = CheckSigningKey(step.fields.Text("key"), step.fields.Text("token"), "key", plan);
    const auto subject = x509::BuildName(profile, SubjectIn(step));
    if (!subject.ok()) plan.Breach(subject.error().rule, "subject", subject.error().message, subject.error().hint);
    const x509::AlternativeNames names = AlternativeNamesIn(step);
    const auto given = x509::CheckAlternativeNames(profile, names);
    if (!given.ok()) plan.Breach(given.error().rule, "alternative_names", given.error().message, given.error().hint);
    if (key == nullptr || !subject.ok()) return;
    CheckKeyOfProfile(*key, profile, plan);
    if (given.ok())
      ReportTrial(
          x509::TryRequest(profile, {TrialAlgorithm(key, profile.key_algorithms), {}, SubjectIn(step), {}, names}),
          plan);
    estate::RequestCreated effect;
    effect.request = step.fields.Text("request");
    effect.profile = profile.name;
    effect.key = step.fields.Text("key");
    effect.subject = x509::NameText(*subject);
    effect.subject_der = base::Base64Encode(*subject);
    if (!names.empty()) effect.alternative_name = NamesText(profile, names);
    effect.artefact = RequestDer(step);
    plan.Plans(effect);
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    KC_ASSIGN_OR_RETURN(const x509::Request request, SignOrTakeOver(step, context));
    KC_RETURN_IF_ERROR(context.WriteArtefact(RequestDer(step), "request", request.der()));
    KC_RETURN_IF_ERROR(context.WriteArtefact(Artefact(step, ".pem"), "request-pem", base::AsBytes(request.Pem())));
    estate::RequestCreated effect;
    effect.request = step.fields.Text("request");
    effect.profile = ProfileOf(step, context.inputs()).name;
    effect.key = step.fields.Text("key");
    effect.subject = x509::NameText(request.info().subject);
    effect.subject_der = base::Base64Encode(request.info().subject);
    if (const x509::ExtensionView* names = request.info().Find(x509::Oid::kSubjectAltName))
      effect.alternative_name = x509::ExtensionText(*names);
    effect.sha256 = request.Sha256Hex();
    effect.artefact = RequestDer(step);
    context.terminal().ShowFacts({{"request", effect.request}, {"subject", effect.subject}, {"key", effect.key}});
    context.terminal().ShowDigest("fingerprint (SHA-256)", base::Sha256Of(request.der()));
    return context.Achieve(effect);
  }
};

}  // namespace

const StepKind& CsrCreate() {
  static const CsrCreateKind kind;
  return kind;
}

}  // namespace ceremony::steps
