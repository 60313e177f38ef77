#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "ceremony/record/record_name.h"
#include "ceremony/steps/certificate_facts.h"
#include "ceremony/steps/certificate_order.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/x509/mirror_key.h"
#include "ceremony/x509/request.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::steps {
namespace {

using script::Field;

std::string RequestDer(const script::Step& step) { return "requests/" + step.fields.Text("key") + ".der"; }

const script::LoadedFile& FileOf(const script::Step& step, const script::Inputs& inputs) {
  return inputs.documents.at(step.fields.Text("file"));
}

base::Result<x509::ImportedRequest> Import(const script::Step& step, const script::Inputs& inputs) {
  const script::LoadedFile& file = FileOf(step, inputs);
  auto imported =
      x509::ImportRequest(base::AsBytes(file.bytes), inputs.FindProfile(step.fields.Text("profile"))->profile);
  if (!imported.ok()) return std::move(imported).error().Prefixed(step.fields.Text("file"));
  return imported;
}

estate::KeyImported EffectOf(const script::Step& step, const x509::ImportedRequest& imported) {
  const x509::RequestInfoView& info = imported.request().info();
  estate::KeyImported effect;
  effect.key = step.fields.Text("key");
  effect.algorithm = std::string(base::FactsOf(imported.subject_key().algorithm()).name);
  effect.spki_sha256 = imported.subject_key().SpkiSha256Hex();
  effect.subject = x509::NameText(info.subject);
  effect.subject_der = base::Base64Encode(info.subject);
  if (const x509::ExtensionView* names = info.Find(x509::Oid::kSubjectAltName)) {
    effect.alternative_name = x509::ExtensionText(*names);
    effect.alternative_name_der = base::Base64Encode(names->value);
  }
  effect.request_sha256 = imported.request().Sha256Hex();
  effect.artefact = RequestDer(step);
  return effect;
}

// The estate knows a key by its SPKI, and this is another SPKI of a key that it has.
base::Result<void> RefuseMirror(const estate::KeyImported& effect, const base::PublicKey& key,
                                const estate::Estate& estate) {
  const auto mirror = x509::MirrorOf(key);
  const estate::Key* known = mirror ? estate.FindKeyBySpki(mirror->SpkiSha256Hex()) : nullptr;
  if (known == nullptr) return {};
  return base::Refusal("EST-KEY-02",
                       fmt::format("the public key {} of key {} is the negative of that of key {}: one private key is "
                                   "behind both",
                                   effect.spki_sha256, effect.key, known->name),
                       "one key must never serve two CAs: send the request back, and find out where it comes from");
}

class CsrImportKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "csr.import",
        "Takes in the public key of somebody else with their certificate request (PKCS#10): possession proven, the key "
        "sound, nothing asked for that the profile does not have.",
        "the request and the public key as artefacts", "RFC 2986; BR 6.1.1.3; EN 319 411-1 6.3.1"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "csr.import",
        "Takes in the public key of somebody else.",
        {Field::Path("file", "the request, DER or PEM, beside the script").Refers(script::Reference::kFile),
         Field::Id("key", "the name that the key gets, once in the whole archive").Refers(script::Reference::kKey),
         Field::Id("profile", "the profile of the certificate that it asks for").Refers(script::Reference::kProfile)},
        {}};
    return table;
  }

  Approved approved() const override { return Approved::kParameters; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Take in the request {} as key {}", step.fields.Text("file"), step.fields.Text("key"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    plan.Takes(60);
    plan.Writes("artefacts/" + RequestDer(step));
    plan.Writes("artefacts/" + record::PublicKeyFile(step.fields.Text("key")));
    if (plan.inputs().FindProfile(step.fields.Text("profile")) == nullptr) return;  // the script reader has refused it
    const auto imported = Import(step, plan.inputs());
    if (!imported.ok()) {
      const base::Error& error = imported.error();
      plan.Breach(error.rule.empty() ? "CSR-FORM-01" : error.rule, "file", error.message,
                  error.hint.empty() ? "send the request back, and have a correct one made" : error.hint);
      return;
    }
    const estate::KeyImported effect = EffectOf(step, *imported);
    if (const auto other = RefuseMirror(effect, imported->subject_key(), plan.estate()); !other.ok())
      plan.Breach(other.error().rule, "file", other.error().message, other.error().hint);
    plan.Plans(effect);
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    // Read with the script, so these are the bytes that were checked.
    KC_ASSIGN_OR_RETURN(const x509::ImportedRequest imported, Import(step, context.inputs()));
    const estate::KeyImported effect = EffectOf(step, imported);
    KC_RETURN_IF_ERROR(RefuseMirror(effect, imported.subject_key(), context.estate()));
    context.terminal().ShowFacts({{"request", step.fields.Text("file")},
                                  {"subject", effect.subject},
                                  {"key", std::string(base::FactsOf(imported.subject_key().algorithm()).title)}});
    context.terminal().ShowDigest("its public key", base::Sha256Of(imported.subject_key().spki()));
    KC_RETURN_IF_ERROR(
        context.Approve(fmt::format("Take in the public key of {} as key {}", effect.subject, effect.key),
                        {{"key", effect.key},
                         {"subject", effect.subject},
                         {"spki_sha256", effect.spki_sha256},
                         {"request_sha256", effect.request_sha256},
                         {"file_sha256", FileOf(step, context.inputs()).sha256}}));
    KC_RETURN_IF_ERROR(context.WriteArtefact(RequestDer(step), "request", imported.request().der()));
    KC_RETURN_IF_ERROR(
        context.WriteArtefact(record::PublicKeyFile(effect.key), "public-key", imported.subject_key().spki()));
    return context.Achieve(effect);
  }
};

}  // namespace

const StepKind& CsrImport() {
  static const CsrImportKind kind;
  return kind;
}

}  // namespace ceremony::steps
