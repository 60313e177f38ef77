#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/steps/key_copies.h"
#include "ceremony/steps/key_proof.h"
#include "ceremony/steps/kinds.h"
#include "hsm/base/encoding.h"

namespace ceremony::steps {
namespace {

using script::Field;

class KeyProveKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "key.prove", "Shows that the copies of a key on tokens are that key: each signs, and the public key agrees.",
        "`intent` and `done` around each C_Sign, an `observe` entry and the proof as an artefact for each token",
        "EN 319 411-1 6.5.2; BR 6.2.4"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "key.prove",
        "Shows that copies of a key are that key.",
        {Field::Id("key", "the key").Refers(script::Reference::kKey),
         Field::List("tokens", Field::Id("", "a token").Refers(script::Reference::kToken), 1, 100,
                     "the tokens that hold a copy")
             .Unique()
             .Example("[\"root-hsm\", \"backup-hsm\"]")},
        {}};
    return table;
  }

  Approved approved() const override { return Approved::kParameters; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Prove key {} on {}", step.fields.Text("key"), fmt::join(TextsOf(step, "tokens"), ", "));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    const estate::Key* key = CheckKey(step.fields.Text("key"), plan);
    if (key != nullptr) {
      if (const auto may = plan.estate().MayUse(key->name, "a proof"); !may.ok())
        plan.Breach(may.error().rule, "key", may.error().message, may.error().hint);
    }
    for (const std::string& token : TextsOf(step, "tokens")) {
      plan.NeedsCommissionedToken(token);
      plan.Takes(20);
      if (key == nullptr || key->FindCopy(token) != nullptr) continue;
      plan.Breach("PLAN-KEY-03", "tokens", fmt::format("key {} is not on token {}", key->name, token),
                  "name tokens that hold the key");
    }
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const std::string& name = step.fields.Text("key");
    const estate::Key* known = context.estate().FindKey(name);
    if (known == nullptr) return base::MakeError(base::ErrorCode::kNotFound, "the estate has no key " + name);
    const estate::Key key = *known;
    KC_RETURN_IF_ERROR(context.Approve(Title(step), {{"key", name},
                                                     {"spki_sha256", key.spki_sha256},
                                                     {"tokens", TextsOf(step, "tokens")},
                                                     {"proof", ProofName(KindOfProof(context.inputs().policy))}}));
    for (const std::string& token : TextsOf(step, "tokens")) {
      if (context.progress().HasObserved("key-proven", token, name)) continue;
      KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(token));
      KC_ASSIGN_OR_RETURN(const hsm::KeyPair pair, FindCopy(*session, key, token));
      KC_ASSIGN_OR_RETURN(const std::string artefact, SignProof(context, *session, pair, name, token));
      KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "key-proven"},
                                                    {"key", name},
                                                    {"token", token},
                                                    {"serial", session->token().info().serial},
                                                    {"object_id", base::HexEncode(pair.private_object.id())},
                                                    {"spki_sha256", pair.public_key.SpkiSha256Hex()},
                                                    {"kind", key.FindCopy(token)->kind},
                                                    {"proof", artefact}}));
      context.terminal().ShowFacts({{"key", name},
                                    {"token", session->token().Name()},
                                    {"copy", key.FindCopy(token)->kind},
                                    {"proof", artefact}});
      context.terminal().Say(room::Tone::kGood, fmt::format("The copy on token {} is key {}.", token, name));
    }
    return {};
  }
};

}  // namespace

const StepKind& KeyProve() {
  static const KeyProveKind kind;
  return kind;
}

}  // namespace ceremony::steps
