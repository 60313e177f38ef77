#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/record/record_name.h"
#include "ceremony/script/algorithm_choices.h"
#include "ceremony/steps/key_copies.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/mechanism_needs.h"
#include "ceremony/steps/token_limits.h"
#include "ceremony/steps/unfit_pair.h"
#include "hsm/base/encoding.h"
#include "hsm/base/random.h"
#include "hsm/keygen.h"

namespace ceremony::steps {
namespace {

using script::Field;

constexpr std::size_t kIdBytes = 16;

const base::KeyAlgorithmFacts& AlgorithmOf(const script::Step& step) {
  return *base::FindKeyAlgorithm(step.fields.Text("algorithm"));
}

class KeyGenerateKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "key.generate", "Makes a key pair on a token; every attribute is stated and read back.",
        "`intent` and `done` around C_GenerateKeyPair, the public key as an artefact",
        "BR 6.1.1.1; EN 319 411-1 6.5.1; NIST SP 800-57 Part 1 8.1.5.1"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "key.generate",
        "Makes a key pair on a token.",
        {Field::Id("token", "the token that makes the key").Refers(script::Reference::kToken),
         Field::Id("key", "the key's name, once in the whole archive").Refers(script::Reference::kKey),
         Field::Choice("algorithm", script::KeyChoices(), "what kind of key"),
         Field::Choice("usage", {{"sign", "signs certificates, CRLs and files"}}, "what the private key may do")
             .Default("sign"),
         Field::Boolean("extractable", "whether it may leave the token, wrapped, for a clone").Default(false)},
        {}};
    return table;
  }

  std::vector<MechanismNeed> Mechanisms(const script::Step& step, const script::Inputs&,
                                        const estate::Estate&) const override {
    return {NeedOfKeyPair(step.fields.Text("token"), AlgorithmOf(step).algorithm, step.fields.Text("key"))};
  }

  Approved approved() const override { return Approved::kParameters; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Generate key {} ({}) on token {}", step.fields.Text("key"), AlgorithmOf(step).title,
                       step.fields.Text("token"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    plan.NeedsCommissionedToken(step.fields.Text("token"));
    const std::string& algorithm = step.fields.Text("algorithm");
    if (!plan.inputs().policy.AllowsKey(algorithm)) {
      plan.Breach("PLAN-KEY-01", "algorithm",
                  fmt::format("the policy {} does not allow {}", plan.inputs().policy.id, algorithm),
                  "choose one of its \"ca_keys\"");
    }
    plan.Takes(AlgorithmOf(step).family == base::KeyFamily::kRsa ? 90 : 20);
    plan.Writes("artefacts/" + ArtefactName(step));
    estate::KeyCreated effect;
    effect.key = step.fields.Text("key");
    effect.algorithm = algorithm;
    effect.usage = step.fields.Text("usage");
    effect.token = step.fields.Text("token");
    effect.extractable = step.fields.Flag("extractable");
    plan.Plans(effect);
  }

  base::Result<void> Preflight(const script::Step& step, PreflightContext& context) const override {
    KC_ASSIGN_OR_RETURN(const auto token, context.FindToken(step.fields.Text("token")));
    if (token == nullptr) return {};  // made in this ceremony: looked at when it is
    return CheckMakes(*token, step.fields.Flag("extractable"));
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const std::string& token = step.fields.Text("token");
    KC_ASSIGN_OR_RETURN(const hsm::KeyPair pair, MakeOrTakeOver(step, context));
    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(token));
    const base::PublicKey& key = pair.public_key;

    estate::KeyCreated effect;
    effect.key = step.fields.Text("key");
    effect.algorithm = step.fields.Text("algorithm");
    effect.usage = step.fields.Text("usage");
    effect.spki_sha256 = key.SpkiSha256Hex();
    effect.token = token;
    effect.serial = session->token().info().serial;
    effect.object_id = base::HexEncode(pair.private_object.id());
    effect.extractable = step.fields.Flag("extractable");
    KC_RETURN_IF_ERROR(context.Achieve(effect));
    KC_RETURN_IF_ERROR(context.WriteArtefact(ArtefactName(step), "public-key", key.spki()));
    context.terminal().ShowFacts({{"key", effect.key},
                                  {"algorithm", std::string(AlgorithmOf(step).title)},
                                  {"on", session->token().Name()},
                                  {"leaves the token", effect.extractable ? "only wrapped, for a clone" : "never"}});
    KC_ASSIGN_OR_RETURN(const base::Bytes digest, base::HexDecode(effect.spki_sha256));
    context.terminal().ShowDigest("public key of " + effect.key, digest);
    return {};
  }

 private:
  static std::string ArtefactName(const script::Step& step) { return record::PublicKeyFile(step.fields.Text("key")); }

  static base::Result<hsm::KeyPair> MakeOrTakeOver(const script::Step& step, StepContext& context) {
    const std::string& token = step.fields.Text("token");
    KC_ASSIGN_OR_RETURN(std::optional<hsm::KeyPair> made, KeyMadeBefore(context, step.fields.Text("key"), token));
    if (made) return std::move(*made);
    hsm::KeyPairSpec spec;
    spec.algorithm = AlgorithmOf(step).algorithm;
    spec.label = step.fields.Text("key");
    spec.id.resize(kIdBytes);
    base::FillRandom(spec.id);
    if (step.fields.Flag("extractable")) {
      spec.extractable = hsm::Extractable::kYes;
      spec.modifiable = hsm::Modifiable::kYes;  // so that key.seal can close it later
    }
    // Nobody opens the token before the quorum has approved what it is opened for.
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> located, context.LocateToken(token));
    KC_RETURN_IF_ERROR(CheckMakes(*located, step.fields.Flag("extractable")));
    KC_RETURN_IF_ERROR(
        context.Approve(fmt::format("Generate key {} ({}) on {}", spec.label, AlgorithmOf(step).title, located->Name()),
                        {{"key", spec.label},
                         {"algorithm", step.fields.Text("algorithm")},
                         {"token", token},
                         {"serial", located->info().serial},
                         {"object_id", base::HexEncode(spec.id)},
                         {"public", ToObject(hsm::PublicTemplate(spec, located->quirks()).Describe())},
                         {"private", ToObject(hsm::PrivateTemplate(spec, located->quirks()).Describe())}}));
    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(token));
    const auto busy = context.terminal().ShowBusy(fmt::format("Token {} is making the key {}", token, spec.label));
    hsm::KeyGeneration generation = hsm::GenerateKeyPair(*session, spec);
    if (!generation.key.ok()) return std::move(generation.key).error();
    KC_RETURN_IF_ERROR(RefuseUnfitPair(generation.key->pair.public_key, spec.label, token, context.estate()));
    return std::move(generation.key).value().pair;
  }
};

}  // namespace

const StepKind& KeyGenerate() {
  static const KeyGenerateKind kind;
  return kind;
}

}  // namespace ceremony::steps
