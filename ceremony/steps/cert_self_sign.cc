#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/steps/kinds.h"
#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/issue.h"
#include "ceremony/x509/openssl_check.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/lookup.h"
#include "hsm/sign.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

constexpr std::int64_t kMicros = 1'000'000;

const script::Shape& AttributeShape() {
  static const script::Shape shape{"attribute", script::Pattern::Parse("[A-Za-z0-9.]{1,64}").value(),
                                   "a subject attribute: CN, OU or a dotted OID"};
  return shape;
}

std::string DerName(const script::Step& step) { return "certificates/" + step.fields.Text("certificate") + ".der"; }
std::string PemName(const script::Step& step) { return "certificates/" + step.fields.Text("certificate") + ".pem"; }
std::string TbsName(const script::Step& step) { return "certificates/" + step.fields.Text("certificate") + ".tbs.der"; }

x509::SubjectValues SubjectOf(const script::Step& step) {
  x509::SubjectValues values;
  if (!step.fields.Has("subject")) return values;
  for (const auto& [type, value] : step.fields.Object("subject").items()) values[type] = value.get<std::string>();
  return values;
}

std::string RfcTime(const x509::TimeView& time) {
  return time.seconds ? base::FormatTime(*time.seconds * kMicros).substr(0, 19) + "Z" : "";
}

json ToJson(const x509::Comparison& comparison) {
  json rows = json::array();
  for (const x509::ComparisonRow& row : comparison.rows()) {
    rows.push_back({{"field", row.field},
                    {"profile", row.profile_says},
                    {"certificate", row.certificate_has},
                    {"equal", row.equal}});
  }
  return rows;
}

void Show(const x509::Comparison& comparison, const x509::Profile& profile, room::Terminal& terminal) {
  room::Comparison shown;
  shown.title = "Compared with profile " + profile.name + ", read by two decoders";
  shown.wanted_says = "profile says";
  shown.found_says = "certificate has";
  for (const x509::ComparisonRow& row : comparison.rows()) {
    shown.rows.push_back({row.field, row.profile_says, row.certificate_has, row.equal});
  }
  terminal.ShowComparison(shown);
}

class CertSelfSignKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{"cert.self-sign",
                                             "Makes the self-signed certificate of a root key: built from a profile, "
                                             "linted, compared, approved, signed, checked again.",
                                             "the TBS and the certificate as artefacts, an `observe` entry with the "
                                             "comparison, `intent` and `done` around C_Sign",
                                             "RFC 5280; BR 6.1.1.1; EN 319 411-1 6.6.1"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "cert.self-sign",
        "Makes the self-signed certificate of a root key.",
        {Field::Id("token", "the token that signs").Refers(script::Reference::kToken),
         Field::Id("key", "the key that signs itself").Refers(script::Reference::kKey),
         Field::Id("profile", "the profile, as the script names it").Refers(script::Reference::kProfile),
         Field::Id("certificate", "the certificate's name, once in the whole archive")
             .Refers(script::Reference::kArtefact),
         Field::Map("subject", AttributeShape(), Field::Text("", "its value"), 1, 10,
                    "values for the subject's attributes that the profile leaves open")
             .Optional()},
        {}};
    return table;
  }

  Approved approved() const override { return Approved::kResult; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Make the self-signed certificate {} of key {}", step.fields.Text("certificate"),
                       step.fields.Text("key"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    const std::string& key_name = step.fields.Text("key");
    plan.NeedsCommissionedToken(step.fields.Text("token"));
    plan.Takes(120);
    for (const std::string& name : {TbsName(step), DerName(step), PemName(step)}) plan.Writes("artefacts/" + name);
    const script::ProfileFile* profile = plan.inputs().FindProfile(step.fields.Text("profile"));
    if (profile == nullptr) return;  // the script reader has refused it
    if (!profile->profile.self_signed) {
      plan.Breach("PLAN-PROFILE-01", "profile",
                  fmt::format("profile {} is not of a self-signed certificate", profile->profile.name),
                  "choose the profile of a root");
    }
    if (const auto subject = x509::BuildName(profile->profile, SubjectOf(step)); !subject.ok()) {
      plan.Breach(subject.error().rule, "subject", subject.error().message, subject.error().hint);
    }
    const estate::Key* key = plan.estate().FindKey(key_name);
    if (key == nullptr) {
      plan.Breach("PLAN-KEY-02", "key", fmt::format("by this step nobody has made a key {}", key_name),
                  "put a key.generate step before it, or correct the name");
      return;
    }
    if (!HasCopyOn(*key, step.fields.Text("token"))) {
      plan.Breach("PLAN-KEY-03", "token", fmt::format("key {} is not on token {}", key_name, step.fields.Text("token")),
                  "name a token that holds the key");
    }
    CheckAlgorithm(*key, profile->profile, plan);
    estate::CertificateIssued effect;
    effect.certificate = step.fields.Text("certificate");
    effect.profile = profile->profile.name;
    effect.key = key_name;
    effect.issuer_key = key_name;
    effect.artefact = DerName(step);
    plan.Plans(effect);
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(step.fields.Text("token")));
    KC_ASSIGN_OR_RETURN(const hsm::KeyPair pair, FindKey(step, context, *session));
    KC_ASSIGN_OR_RETURN(const x509::Certificate certificate, SignOrTakeOver(step, context, *session, pair));

    const x509::Fields fields = certificate.fields();
    KC_RETURN_IF_ERROR(context.WriteArtefact(DerName(step), "certificate", certificate.der()));
    KC_RETURN_IF_ERROR(context.WriteArtefact(PemName(step), "certificate-pem", base::AsBytes(certificate.Pem())));
    context.terminal().ShowFacts({{"certificate", step.fields.Text("certificate")},
                                  {"subject", fields.subject},
                                  {"serial", fields.serial_hex},
                                  {"valid from", fields.not_before},
                                  {"valid to", fields.not_after}});
    context.terminal().ShowDigest("fingerprint (SHA-256)", base::Sha256Of(certificate.der()));
    const x509::TbsView& tbs = certificate.tbs();
    return context.Achieve(estate::CertificateIssued{step.fields.Text("certificate"), ProfileOf(step, context).name,
                                                     step.fields.Text("key"), step.fields.Text("key"), fields.subject,
                                                     fields.serial_hex, RfcTime(tbs.not_before), RfcTime(tbs.not_after),
                                                     certificate.Sha256Hex(), DerName(step)});
  }

 private:
  static const x509::Profile& ProfileOf(const script::Step& step, StepContext& context) {
    return context.inputs().FindProfile(step.fields.Text("profile"))->profile;
  }

  static bool HasCopyOn(const estate::Key& key, const std::string& token) {
    for (const estate::Copy& copy : key.copies) {
      if (copy.token == token) return true;
    }
    return false;
  }

  static void CheckAlgorithm(const estate::Key& key, const x509::Profile& profile, PlanContext& plan) {
    const base::KeyAlgorithmFacts* algorithm = base::FindKeyAlgorithm(key.algorithm);
    if (algorithm == nullptr) return;
    for (const base::KeyAlgorithm allowed : profile.key_algorithms) {
      if (allowed == algorithm->algorithm) return;
    }
    plan.Breach("PLAN-PROFILE-02", "key",
                fmt::format("key {} is {}, which profile {} does not allow", key.name, algorithm->title, profile.name),
                "generate the key with an algorithm of the profile");
  }

  // The key is found by the id and label of its copy, and then held to be the
  // key only because its public key is the estate's.
  static base::Result<hsm::KeyPair> FindKey(const script::Step& step, StepContext& context, hsm::Session& session) {
    const estate::Key* key = context.estate().FindKey(step.fields.Text("key"));
    if (key == nullptr)
      return base::MakeError(base::ErrorCode::kNotFound, "the estate has no key " + step.fields.Text("key"));
    for (const estate::Copy& copy : key->copies) {
      if (copy.token != step.fields.Text("token")) continue;
      KC_ASSIGN_OR_RETURN(const base::Bytes id, base::HexDecode(copy.object_id));
      KC_ASSIGN_OR_RETURN(hsm::KeyPair pair, hsm::FindPrivateKey(session, "", id));
      if (pair.public_key.SpkiSha256Hex() != key->spki_sha256) {
        return base::Refusal(
            "KEY-SELECT-01",
            fmt::format("the key with id {} on {} has the public key {}, key {} is {}", copy.object_id,
                        session.token().Name(), pair.public_key.SpkiSha256Hex(), key->name, key->spki_sha256),
            "this is another key: stop, and verify the token");
      }
      return pair;
    }
    return base::MakeError(base::ErrorCode::kNotFound,
                           fmt::format("key {} has no copy on token {}", key->name, step.fields.Text("token")));
  }

  static base::Result<x509::Certificate> SignOrTakeOver(const script::Step& step, StepContext& context,
                                                        hsm::Session& session, const hsm::KeyPair& pair) {
    const x509::Profile& profile = ProfileOf(step, context);
    if (context.progress().FindArtefact(DerName(step)) != nullptr) {
      KC_ASSIGN_OR_RETURN(const base::Bytes der, context.ReadArtefact(DerName(step)));
      KC_ASSIGN_OR_RETURN(x509::Certificate certificate, x509::Certificate::Parse(der));
      KC_RETURN_IF_ERROR(certificate.VerifiedBy(pair.public_key));
      context.terminal().Say(room::Tone::kPlain,
                             "The certificate was signed before the interruption; it is taken over.");
      return certificate;
    }
    x509::TbsInput input{pair.public_key};
    input.subject = SubjectOf(step);
    KC_ASSIGN_OR_RETURN(x509::Tbs tbs, BuildOrTakeOver(step, context, session, profile, input));
    KC_ASSIGN_OR_RETURN(x509::LintedTbs linted, x509::LintTbs(tbs));
    KC_ASSIGN_OR_RETURN(x509::ComparedTbs compared, x509::CompareTbs(std::move(linted), profile, input));
    KC_RETURN_IF_ERROR(context.WriteArtefact(TbsName(step), "tbs", tbs.der()));
    KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "profile-comparison"},
                                                  {"certificate", step.fields.Text("certificate")},
                                                  {"profile", profile.name},
                                                  {"clause", profile.clause},
                                                  {"tbs_sha256", base::HexEncode(compared.Digest())},
                                                  {"rows", ToJson(compared.comparison())}}));
    Show(compared.comparison(), profile, context.terminal());
    context.terminal().ShowDigest("to be signed", compared.Digest());

    const base::Sha256Digest approved = compared.Digest();
    KC_RETURN_IF_ERROR(context.Approve(
        fmt::format("Sign the certificate {} with key {}", step.fields.Text("certificate"), step.fields.Text("key")),
        {{"certificate", step.fields.Text("certificate")},
         {"key", step.fields.Text("key")},
         {"profile", profile.name},
         {"serial", session.token().info().serial},
         {"tbs_sha256", base::HexEncode(approved)},
         {"tbs", base::Base64Encode(tbs.der())}}));
    KC_ASSIGN_OR_RETURN(const x509::ApprovedTbs ready, x509::ApproveTbs(std::move(compared), approved));
    const auto busy = context.terminal().ShowBusy("The token is signing");
    const base::SignatureScheme scheme = x509::FactsOf(ready.signature_algorithm()).scheme;
    KC_ASSIGN_OR_RETURN(const base::Bytes signature,
                        hsm::Sign(session, pair, scheme, ready.to_be_signed(), hsm::Consequence::kCeremonyKey));
    KC_ASSIGN_OR_RETURN(x509::Certificate certificate, x509::FinishCertificate(ready, pair.public_key, signature));
    KC_RETURN_IF_ERROR(CheckWithOpenssl(certificate, context));
    return certificate;
  }

  // An approved TBS is not made anew after an interruption: serial and dates
  // stay those that people have seen.
  static base::Result<x509::Tbs> BuildOrTakeOver(const script::Step& step, StepContext& context, hsm::Session& session,
                                                 const x509::Profile& profile, x509::TbsInput& input) {
    if (context.progress().FindArtefact(TbsName(step)) != nullptr) {
      KC_ASSIGN_OR_RETURN(const base::Bytes der, context.ReadArtefact(TbsName(step)));
      KC_ASSIGN_OR_RETURN(x509::Tbs tbs, x509::Tbs::Parse(der));
      input.serial = base::ToBytes(tbs.view().serial);
      input.not_before = tbs.view().not_before.seconds.value_or(0);
      return tbs;
    }
    KC_ASSIGN_OR_RETURN(const base::Bytes random, session.GenerateRandom(profile.serial_octets));
    input.serial = x509::SerialFromRandom(random);
    input.not_before = context.clock().UtcMicros() / kMicros;
    return x509::BuildTbs(profile, input);
  }

  static base::Result<void> CheckWithOpenssl(const x509::Certificate& certificate, StepContext& context) {
    const base::Bytes der = base::ToBytes(certificate.der());
    const auto findings = x509::OpensslVerify(der, {}, {der}, context.clock().UtcMicros() / kMicros);
    if (findings.empty()) return {};
    return base::Refusal(std::string(findings.front().facts().id), findings.front().Text(),
                         "the certificate was signed but is not released");
  }
};

}  // namespace

const StepKind& CertSelfSign() {
  static const CertSelfSignKind kind;
  return kind;
}

}  // namespace ceremony::steps
