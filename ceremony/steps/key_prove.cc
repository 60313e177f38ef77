#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/steps/key_copies.h"
#include "ceremony/steps/key_proof.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/mechanism_needs.h"
#include "hsm/base/counted.h"
#include "hsm/base/encoding.h"

namespace ceremony::steps {
namespace {

using script::Field;

// The key.generate step of this script that makes the key; nullptr if none does.
const script::Step* MakerOf(const std::string& key, const script::Inputs& inputs) {
  for (const script::Section& section : inputs.script.sections) {
    for (const script::Step& step : section.steps) {
      if (step.kind == "key.generate" && step.fields.Text("key") == key) return &step;
    }
  }
  return nullptr;
}

// A name is given once in a whole archive, so a key that this script makes was not there before.
void CheckFreshness(const script::Step& step, PlanContext& plan) {
  const std::string& name = step.fields.Text("key");
  const std::vector<std::string> others = TextsOf(step, "fresh_against");
  if (others.empty()) return;
  if (MakerOf(name, plan.inputs()) == nullptr) {
    plan.Breach("PLAN-FRESH-01", "key",
                fmt::format("key {} is to be shown to be fresh, and this script does not make it", name),
                "make it in this ceremony, with a key.generate step before");
  }
  for (const std::string& other : others) {
    if (other != name && plan.estate().FindKey(other) != nullptr) continue;
    plan.Breach("PLAN-FRESH-02", "fresh_against",
                other == name ? fmt::format("key {} is to be fresh against itself", name)
                              : fmt::format("by this step nobody has made a key {}", other),
                "name the keys in whose place it comes");
  }
}

// What makes it fresh is the estate's to refuse (EST-KEY-01, EST-KEY-02); this takes down what it was held against.
base::Result<void> RecordFreshness(const script::Step& step, StepContext& context, const estate::Key& key) {
  if (!step.fields.Has("fresh_against") || context.progress().HasObserved("key-fresh", "", key.name)) return {};
  nlohmann::json others = nlohmann::json::array();
  std::vector<room::Fact> facts = {{key.name + ", made " + key.since.time, key.spki_sha256}};
  for (const std::string& name : TextsOf(step, "fresh_against")) {
    const estate::Key* other = context.estate().FindKey(name);
    if (other == nullptr) return base::MakeError(base::ErrorCode::kNotFound, "the estate has no key " + name);
    others.push_back({{"key", name}, {"spki_sha256", other->spki_sha256}, {"since", other->since.time}});
    facts.push_back({fmt::format("{}, made {}", name, other->since.time), other->spki_sha256});
  }
  context.terminal().ShowFacts(facts);
  const std::size_t known = context.estate().keys().size() - 1;
  context.terminal().Say(
      room::Tone::kGood,
      fmt::format("Key {} was made in this ceremony and is none of these, nor any other key that the "
                  "archive knows ({}).",
                  key.name, base::Counted(known, "key", "keys")));
  KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "key-fresh"},
                                                {"key", key.name},
                                                {"spki_sha256", key.spki_sha256},
                                                {"made", key.since.time},
                                                {"made_by", MakerOf(key.name, context.inputs())->id},
                                                {"differs_from", std::move(others)},
                                                {"known_keys", known}}));
  return {};
}

class KeyProveKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "key.prove", "Shows that the copies of a key on tokens are that key: each signs, and the public key agrees.",
        "`intent` and `done` around each C_Sign, an `observe` entry and the proof as an artefact for each token; an "
        "`observe` entry with the keys that it was held against",
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
             .Example("[\"root-hsm\", \"backup-hsm\"]"),
         Field::List("fresh_against", Field::Id("", "a key").Refers(script::Reference::kKey), 1, 100,
                     "keys in whose place it comes: shows that this ceremony has made it, and that it is none of them "
                     "nor any other key of the archive")
             .Unique()
             .Optional()
             .Example("[\"issuing-2026-01\"]")},
        {}};
    return table;
  }

  std::vector<MechanismNeed> Mechanisms(const script::Step& step, const script::Inputs& inputs,
                                        const estate::Estate& estate) const override {
    std::vector<MechanismNeed> needs;
    for (const std::string& token : TextsOf(step, "tokens")) {
      for (MechanismNeed& need : NeedsToSign(token, step.fields.Text("key"), inputs, estate))
        needs.push_back(std::move(need));
    }
    return needs;
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
      if (key->is_transport_key()) {
        plan.Breach("EST-KEY-07", "key", fmt::format("key {} is a transport key, and signs no proof", key->name),
                    "key.import shows that it is the right one, by what it takes in");
      }
    }
    CheckFreshness(step, plan);
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
      context.terminal().ShowFacts(
          {{"key", name}, {"on", session->token().Name()}, {"copy", key.FindCopy(token)->kind}, {"proof", artefact}});
      context.terminal().Say(room::Tone::kGood, fmt::format("The copy on token {} is key {}.", token, name));
    }
    return RecordFreshness(step, context, key);
  }
};

}  // namespace

const StepKind& KeyProve() {
  static const KeyProveKind kind;
  return kind;
}

}  // namespace ceremony::steps
