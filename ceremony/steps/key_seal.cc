#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/steps/key_copies.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/mechanism_needs.h"
#include "hsm/base/counted.h"
#include "hsm/base/encoding.h"
#include "hsm/template.h"
#include "hsm/wrap.h"

namespace ceremony::steps {
namespace {

using script::Field;

class KeySealKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "key.seal",
        "Ends the cloning of a key: no copy can leave its token any more, and a try to wrap each is refused.",
        "`intent` and `done` around C_SetAttributeValue and the try, an `observe` entry for each copy",
        "BR 6.2; EN 319 411-1 6.5.2"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "key.seal",
        "Ends the cloning of a key.",
        {Field::Id("key", "the key").Refers(script::Reference::kKey),
         Field::List("tokens", Field::Id("", "a token").Refers(script::Reference::kToken), 1, 100,
                     "the tokens that hold a copy; every copy that may be cloned must be among them")
             .Unique()
             .Example("[\"root-hsm\", \"backup-hsm\"]")},
        {}};
    return table;
  }

  std::vector<MechanismNeed> Mechanisms(const script::Step& step, const script::Inputs&,
                                        const estate::Estate&) const override {
    std::vector<MechanismNeed> needs;
    for (const std::string& token : TextsOf(step, "tokens")) needs.push_back(NeedToTrySeal(token));
    return needs;
  }

  Approved approved() const override { return Approved::kParameters; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Seal key {} on {}", step.fields.Text("key"), fmt::join(TextsOf(step, "tokens"), ", "));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    const std::vector<std::string> tokens = TextsOf(step, "tokens");
    for (const std::string& token : tokens) {
      plan.NeedsCommissionedToken(token);
      plan.Takes(20);
    }
    const estate::Key* key = CheckKey(step.fields.Text("key"), plan);
    if (key == nullptr) return;
    for (const estate::Copy* copy : key->CopiesInPlace()) {
      if (!copy->extractable || std::find(tokens.begin(), tokens.end(), copy->token) != tokens.end()) continue;
      plan.Breach("PLAN-SEAL-01", "tokens",
                  fmt::format("the copy of key {} on token {} may be cloned, and stays so", key->name, copy->token),
                  "seal every copy: a key is as open as its most open copy");
    }
    const std::string name = key->name;  // an effect may move the keys
    for (const std::string& token : tokens) plan.Plans(estate::KeySealed{name, token, ""});
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const std::string& name = step.fields.Text("key");
    const estate::Key* known = context.estate().FindKey(name);
    if (known == nullptr) return base::MakeError(base::ErrorCode::kNotFound, "the estate has no key " + name);
    const estate::Key key = *known;
    const std::vector<std::string> tokens = TextsOf(step, "tokens");
    KC_RETURN_IF_ERROR(
        context.Approve(Title(step), {{"key", name}, {"spki_sha256", key.spki_sha256}, {"tokens", tokens}}));
    for (const std::string& token : tokens) KC_RETURN_IF_ERROR(Seal(context, key, token));
    context.terminal().Say(room::Tone::kGood,
                           fmt::format("Key {} is sealed on {}: no other copy can be made from there.", name,
                                       base::Counted(tokens.size(), "token", "tokens")));
    return {};
  }

 private:
  static base::Result<void> Seal(StepContext& context, const estate::Key& key, const std::string& token) {
    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(token));
    KC_ASSIGN_OR_RETURN(const hsm::KeyPair pair, FindCopy(*session, key, token));
    const CK_ATTRIBUTE_TYPE types[] = {CKA_EXTRACTABLE};
    KC_ASSIGN_OR_RETURN(const hsm::AttributeSet before, session->ReadAttributes(pair.private_object.handle(), types));
    if (before.Bool(CKA_EXTRACTABLE) != false) {
      hsm::Template seal;
      seal.Bool(CKA_EXTRACTABLE, false);
      KC_RETURN_IF_ERROR(session->SetAttributes(pair.private_object, seal));
    }
    KC_RETURN_IF_ERROR(hsm::ProveSealed(*session, pair));
    KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "copy-sealed"},
                                                  {"key", key.name},
                                                  {"token", token},
                                                  {"serial", session->token().info().serial},
                                                  {"object_id", base::HexEncode(pair.private_object.id())},
                                                  {"extractable_before", before.DescribeOne(CKA_EXTRACTABLE)},
                                                  {"trial", "wrapping it is refused"}}));
    context.terminal().ShowFacts({{"key", key.name},
                                  {"on", session->token().Name()},
                                  {"leaves the token", "never: CKA_EXTRACTABLE is false, and a try was refused"}});
    return context.Achieve(estate::KeySealed{key.name, token, session->token().info().serial});
  }
};

}  // namespace

const StepKind& KeySeal() {
  static const KeySealKind kind;
  return kind;
}

}  // namespace ceremony::steps
