#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/steps/key_copies.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/mechanism_needs.h"
#include "ceremony/steps/signing_key.h"
#include "ceremony/x509/der_reader.h"
#include "hsm/base/digest.h"
#include "hsm/sign.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

constexpr const char* kSigned = "payload-signed";
constexpr const char* kAccepted = "accepted";
constexpr const char* kRefused = "refused";

// What a CA signs is a DER SEQUENCE that begins with a version, a serial number or an algorithm: TBSCertificate
// ([0] or INTEGER), TBSCertList (INTEGER or SEQUENCE), CertificationRequestInfo (INTEGER). CMS content begins with an
// OBJECT IDENTIFIER or is a SET, and text is neither.
bool LooksToBeSigned(std::string_view bytes) {
  constexpr unsigned char kVersionTag = 0xa0;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() < 4 || at(0) != x509::tag::kSequence) return false;
  constexpr unsigned char kLongForm = 0x80;
  const std::size_t header = at(1) < kLongForm ? 2 : 2 + (at(1) & 0x7fU);
  if (header >= bytes.size()) return false;
  return at(header) == kVersionTag || at(header) == x509::tag::kInteger || at(header) == x509::tag::kSequence;
}

// Payload is one file that is signed: the real one, or the dummy.
struct Payload {
  const script::LoadedFile& file;
  std::string artefact;
  std::string words;  // "payload recovery-command"
};

class PayloadSignKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "payload.sign",
        "Signs a file under quorum, after a dummy payload was submitted and accepted where the script has one.",
        "a `request` for each file that is signed, `intent` and `done` around C_Sign, the file and its signature as "
        "artefacts, an `observe` entry for each and for what the recipient said of the dummy",
        "EN 319 411-1 6.5.3 (use of a key); NIST SP 800-57 Part 1 5.2"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "payload.sign",
        "Signs a file: a recovery command, a list, a release. The signature is detached: DER ECDSA with the digest of "
        "the curve, RSA PKCS#1 v1.5 with SHA-256, or Ed25519, as `openssl dgst -verify` and `openssl pkeyutl` take it.",
        {Field::Id("token", "the token that signs").Refers(script::Reference::kToken),
         Field::Id("key", "the key that signs; one that certifies does not, unless the policy has statement_signing")
             .Refers(script::Reference::kKey),
         Field::Path("file", "what is signed, beside the script").Refers(script::Reference::kFile),
         Field::Id("name", "its name in the record, with its ending").Example("\"recovery-command.bin\""),
         Field::Path("dummy", "a harmless file of the same sort, signed and submitted first")
             .Refers(script::Reference::kFile)
             .Optional(),
         Field::Text("recipient", "who is to accept the dummy before the real one is signed").Optional()},
        {}};
    return table;
  }

  std::vector<MechanismNeed> Mechanisms(const script::Step& step, const script::Inputs& inputs,
                                        const estate::Estate& estate) const override {
    return NeedsToSign(step.fields.Text("token"), step.fields.Text("key"), inputs, estate);
  }

  Approved approved() const override { return Approved::kResult; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Sign {} with key {}", step.fields.Text("name"), step.fields.Text("key"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    const std::string& token = step.fields.Text("token");
    plan.NeedsCommissionedToken(token);
    plan.Takes(step.fields.Has("dummy") ? 900 : 120);
    if (step.fields.Has("dummy") != step.fields.Has("recipient")) {
      plan.Breach("PLAN-PAYLOAD-01", "dummy", "a dummy payload needs somebody who accepts it, and the reverse",
                  "give \"dummy\" and \"recipient\", or neither");
    }
    const estate::Key* key = CheckSigningKey(step.fields.Text("key"), token, "key", plan);
    if (key != nullptr) {
      if (const auto may = MaySignFiles(plan.inputs(), plan.estate(), key->name); !may.ok())
        plan.Breach(may.error().rule, "key", may.error().message, may.error().hint);
    }
    if (const auto harmless = CheckBytes(step, plan.inputs()); !harmless.ok())
      plan.Breach(harmless.error().rule, "file", harmless.error().message, harmless.error().hint);
    for (const Payload& payload : PayloadsOf(step, plan.inputs())) {
      plan.Writes("artefacts/" + payload.artefact);
      plan.Writes("artefacts/" + payload.artefact + ".sig");
    }
    plan.Plans(EffectOf(step, plan.inputs()));
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    KC_RETURN_IF_ERROR(MaySignFiles(context.inputs(), context.estate(), step.fields.Text("key")));
    KC_RETURN_IF_ERROR(CheckBytes(step, context.inputs()));
    const std::vector<Payload> payloads = PayloadsOf(step, context.inputs());
    for (std::size_t i = 0; i < payloads.size(); ++i) {
      const Payload& payload = payloads[i];
      KC_RETURN_IF_ERROR(SignOne(step, context, payload, i));
      if (&payload != &payloads.back()) KC_RETURN_IF_ERROR(Submit(step, context, payload));
    }
    return context.Achieve(EffectOf(step, context.inputs()));
  }

 private:
  static estate::DocumentLodged EffectOf(const script::Step& step, const script::Inputs& inputs) {
    return {step.fields.Text("name"), "signed payload", inputs.documents.at(step.fields.Text("file")).sha256};
  }

  static std::vector<Payload> PayloadsOf(const script::Step& step, const script::Inputs& inputs) {
    const std::string& name = step.fields.Text("name");
    std::vector<Payload> payloads;
    if (step.fields.Has("dummy")) {
      payloads.push_back(
          {inputs.documents.at(step.fields.Text("dummy")), "payloads/dummy-" + name, "the dummy payload of " + name});
    }
    payloads.push_back({inputs.documents.at(step.fields.Text("file")), "payloads/" + name, "payload " + name});
    return payloads;
  }

  // A CA's key signs certificates and CRLs, and nothing that somebody might take for one.
  static base::Result<void> MaySignFiles(const script::Inputs& inputs, const estate::Estate& estate,
                                         const std::string& key) {
    if (inputs.policy.statement_signing) return {};
    for (const estate::Certificate& certificate : estate.certificates()) {
      if (certificate.key != key || !certificate.ca) continue;
      return base::Refusal(
          "PAYLOAD-CA-01",
          fmt::format("key {} is that of CA certificate {}, and is to sign a file", key, certificate.name),
          "sign files with a key of their own, or have the policy allow \"statement_signing\"");
    }
    return {};
  }

  static base::Result<void> CheckBytes(const script::Step& step, const script::Inputs& inputs) {
    const std::vector<Payload> payloads = PayloadsOf(step, inputs);
    for (const Payload& payload : payloads) {
      if (!LooksToBeSigned(payload.file.bytes)) continue;
      return base::Refusal(
          "PAYLOAD-TBS-01",
          fmt::format("{} reads as a certificate, a CRL or a request that is to be signed", payload.words),
          "certificates are made with cert.issue, where they are linted and compared");
    }
    if (payloads.size() == 2 && payloads.front().file.sha256 == payloads.back().file.sha256) {
      return base::Refusal("PAYLOAD-DUMMY-01", fmt::format("{} is the payload itself", payloads.front().words),
                           "a dummy is harmless when it is submitted: give another file");
    }
    return {};
  }

  // `before` payloads of the step are signed before this one, each of which has its entry.
  static base::Result<void> SignOne(const script::Step& step, StepContext& context, const Payload& payload,
                                    std::size_t before) {
    const std::string signature_name = payload.artefact + ".sig";
    if (const Progress::Artefact* signed_before = context.progress().FindArtefact(signature_name)) {
      const auto recorded = std::ranges::count(context.progress().observations, kSigned, &Progress::Observation::what);
      if (static_cast<std::size_t>(recorded) > before) return {};
      return RecordSigned(step, context, payload, signed_before->sha256);
    }
    const std::string& key = step.fields.Text("key");
    const std::string& token = step.fields.Text("token");
    context.terminal().ShowFacts({{"file", payload.words},
                                  {"size", fmt::format("{} bytes", payload.file.bytes.size())},
                                  {"SHA-256", payload.file.sha256},
                                  {"key", key}});
    KC_RETURN_IF_ERROR(
        context.Approve(fmt::format("Sign {} with key {}", payload.words, key), {{"payload", payload.artefact},
                                                                                 {"sha256", payload.file.sha256},
                                                                                 {"size", payload.file.bytes.size()},
                                                                                 {"key", key},
                                                                                 {"token", token}}));
    KC_RETURN_IF_ERROR(context.WriteArtefact(payload.artefact, "payload", base::AsBytes(payload.file.bytes)));
    KC_ASSIGN_OR_RETURN(const SigningKey signer, OpenSigningKey(key, token, context));
    const base::SignatureScheme scheme = hsm::DefaultScheme(signer.pair.public_key.algorithm());
    KC_ASSIGN_OR_RETURN(const base::Bytes signature,
                        hsm::Sign(*signer.session, signer.pair, scheme, base::AsBytes(payload.file.bytes),
                                  hsm::Consequence::kCeremonyKey));
    KC_RETURN_IF_ERROR(context.WriteArtefact(signature_name, "payload-signature", signature));
    KC_RETURN_IF_ERROR(RecordSigned(step, context, payload, base::Sha256Hex(signature)));
    context.terminal().Say(room::Tone::kGood, fmt::format("Signed: {}.", payload.words));
    return {};
  }

  // After the file, so that the entry names no signature that nobody has.
  static base::Result<void> RecordSigned(const script::Step& step, StepContext& context, const Payload& payload,
                                         const std::string& signature_sha256) {
    KC_RETURN_IF_ERROR(context.Record("observe", {{"what", kSigned},
                                                  {"payload", payload.artefact},
                                                  {"key", step.fields.Text("key")},
                                                  {"token", step.fields.Text("token")},
                                                  {"sha256", payload.file.sha256},
                                                  {"signature_sha256", signature_sha256}}));
    return {};
  }

  static base::Result<void> Submit(const script::Step& step, StepContext& context, const Payload& dummy) {
    constexpr const char* kWhat = "dry-submission";
    const std::string& token = step.fields.Text("token");
    const std::string& key = step.fields.Text("key");
    if (context.progress().HasObserved(kWhat, token, key)) return {};
    room::Question question;
    question.kind = room::Question::Kind::kChoice;
    question.id = "payload.sign/dummy/" + step.id;
    question.text = fmt::format("Hand {} and its signature to {}. What do they say of it?", dummy.artefact,
                                step.fields.Text("recipient"));
    question.choices = {kAccepted, kRefused};
    question.simulated = kAccepted;
    KC_ASSIGN_OR_RETURN(const std::string answer, context.Ask("", question));
    if (answer != kAccepted) {
      return base::Refusal("PAYLOAD-DRY-01",
                           fmt::format("{} did not accept {}", step.fields.Text("recipient"), dummy.words),
                           "nothing else was signed: find out why before the step is tried again");
    }
    KC_RETURN_IF_ERROR(context.Record("observe", {{"what", kWhat},
                                                  {"token", token},
                                                  {"key", key},
                                                  {"recipient", step.fields.Text("recipient")},
                                                  {"sha256", dummy.file.sha256},
                                                  {"answer", answer}}));
    return {};
  }
};

}  // namespace

const StepKind& PayloadSign() {
  static const PayloadSignKind kind;
  return kind;
}

}  // namespace ceremony::steps
