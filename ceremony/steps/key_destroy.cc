#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/steps/destruction.h"
#include "ceremony/steps/key_copies.h"
#include "ceremony/steps/kinds.h"
#include "hsm/base/clock_text.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

std::vector<Elsewhere> ElsewhereOf(const script::Step& step) {
  std::vector<Elsewhere> all;
  if (!step.fields.Has("elsewhere")) return all;
  for (const json& item : step.fields.List("elsewhere")) {
    all.push_back({item.at("token").get<std::string>(), item.at("document").get<std::string>(),
                   item.at("reason").get<std::string>()});
  }
  return all;
}

bool Contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool Covers(const std::vector<std::string>& tokens, const std::vector<Elsewhere>& elsewhere, const estate::Copy& copy) {
  return Contains(tokens, copy.token) ||
         std::any_of(elsewhere.begin(), elsewhere.end(), [&](const Elsewhere& e) { return e.token == copy.token; });
}

// EstateBefore is the estate as the steps before this one leave it, by the plan.
estate::Estate EstateBefore(const script::Step& step, const PreflightContext& context) {
  script::Inputs inputs = context.inputs();
  std::vector<script::Section>& sections = inputs.script.sections;
  for (auto section = sections.begin(); section != sections.end(); ++section) {
    const auto here =
        std::ranges::find_if(section->steps, [&](const script::Step& other) { return other.id == step.id; });
    if (here == section->steps.end()) continue;
    section->steps.erase(here, section->steps.end());
    sections.erase(std::next(section), sections.end());
    break;
  }
  return MakePlan(inputs, context.estate()).estate;
}

bool MayBeDestroyed(const estate::Key& key) {
  // A transport key is out of use when what it was for has come, or never will.
  return key.state == "deactivated" || key.state == "held" || key.state == "compromised" ||
         (key.is_transport_key() && key.state == "active");
}

base::Error StillInUse(const estate::Key& key) {
  return base::Refusal("KEY-DESTROY-01", fmt::format("key {} is {}, and is to be destroyed", key.name, key.state),
                       "take it out of use first, with a key.deactivate step");
}
base::Error NotAccountedFor(const estate::Key& key, const estate::Copy& copy) {
  if (!copy.transport_key.empty()) {
    return base::Refusal(
        "KEY-DESTROY-02",
        fmt::format("key {} has a copy in the file {} of {}, which transport key {} opens", key.name, copy.artefact,
                    estate::Where(copy.since), copy.transport_key),
        fmt::format("destroy {} first, on the token where it is: then the file opens for nobody", copy.transport_key));
  }
  return base::Refusal(
      "KEY-DESTROY-02",
      fmt::format("key {} has a copy on token {} (serial {}), which the step neither brings nor accounts for", key.name,
                  copy.token, copy.serial.empty() ? "not known yet" : copy.serial),
      "bring the token and name it in \"tokens\", or give the document that accounts for it in \"elsewhere\"");
}

class KeyDestroyKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "key.destroy",
        "Destroys every copy of keys, shows that they are gone, and writes a certificate of destruction for each.",
        "a `request` for each token, `intent` and `done` around each C_DestroyObject, an `observe` entry for each copy "
        "with the negative tests, a certificate of destruction for each key as an artefact",
        "BR 5.4.1 (key destruction); EN 319 411-1 6.5.3; NIST SP 800-57 Part 1 8.3.4"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "key.destroy",
        "Destroys every copy of keys.",
        {Field::List("keys", Field::Id("", "a key").Refers(script::Reference::kKey), 1, 1000, "the keys")
             .Unique()
             .Optional()
             .Example("[\"issuing-2026-01\"]"),
         Field::Choice("batch", {{"due", "every held key whose hold has ended on the day of the ceremony"}},
                       "in place of `keys`")
             .Optional(),
         Field::List("tokens", Field::Id("", "a token").Refers(script::Reference::kToken), 1, 100,
                     "the tokens that are in the room; every copy must be on one of them, or be accounted for")
             .Unique()
             .Example("[\"root-hsm\", \"backup-hsm\"]"),
         Field::List("elsewhere",
                     Field::Table("",
                                  {"elsewhere",
                                   "A token that is not here, whose copies a document accounts for.",
                                   {Field::Id("token", "the token, by its name in the archive"),
                                    Field::Digest("document", "SHA-256 of the document"),
                                    Field::Text("reason", "what the document says")},
                                   {}},
                                  "a token"),
                     1, 100, "tokens that are not here, whose copies a document accounts for")
             .Optional(),
         Field::Text("reason", "why a key is destroyed before the end of its hold").Optional()},
        {{"keys", "batch"}}};
    return table;
  }

  Approved approved() const override { return Approved::kResult; }

  std::string Title(const script::Step& step) const override {
    return step.fields.Has("keys") ? fmt::format("Destroy every copy of {}", fmt::join(TextsOf(step, "keys"), ", "))
                                   : std::string("Destroy every copy of the held keys that are due");
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    const std::vector<std::string> tokens = TextsOf(step, "tokens");
    const std::vector<Elsewhere> elsewhere = ElsewhereOf(step);
    for (const std::string& token : tokens) {
      plan.NeedsCommissionedToken(token);
      plan.Takes(180);
    }
    const auto covered = [&](const estate::Copy& copy) { return Covers(tokens, elsewhere, copy); };
    std::vector<std::string> names = TextsOf(step, "keys");
    if (!step.fields.Has("keys")) {
      // Which keys are due is known on the day; of those that may be, each whose copies are all at hand.
      for (const estate::Key& key : plan.estate().keys()) {
        const auto copies = key.CopiesInPlace();
        if (key.is_held() &&
            std::all_of(copies.begin(), copies.end(), [&](const estate::Copy* copy) { return covered(*copy); }))
          names.push_back(key.name);
      }
      if (std::ranges::none_of(plan.estate().keys(), &estate::Key::is_held)) {
        plan.Breach(
            "KEY-DESTROY-03", "batch", "no key is held by this step, so none can be due",
            "take a key out of use first with a key.deactivate step, or give the archive in which that was done "
            "with --archive");
      }
    }
    for (const std::string& name : names) PlanKey(name, step, covered, plan);
  }

  base::Result<void> Preflight(const script::Step& step, PreflightContext& context) const override {
    if (step.fields.Has("keys")) return {};  // which these are, and where, is checked with the plan
    KC_ASSIGN_OR_RETURN(const std::vector<estate::Key> keys,
                        ChooseKeys(step, EstateBefore(step, context), base::FormatTime(context.clock().UtcMicros())));
    const std::vector<std::string> tokens = TextsOf(step, "tokens");
    const std::vector<Elsewhere> elsewhere = ElsewhereOf(step);
    for (const estate::Key& key : keys) {
      for (const estate::Copy* copy : key.CopiesInPlace()) {
        if (!Covers(tokens, elsewhere, *copy)) return NotAccountedFor(key, *copy);
      }
    }
    return {};
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    Destruction destruction{step, context, {}, TextsOf(step, "tokens"), ElsewhereOf(step), {}, {}};
    KC_ASSIGN_OR_RETURN(destruction.keys, ChooseKeys(step, context.estate(), Now(context)));
    KC_RETURN_IF_ERROR(CheckReach(destruction));
    ShowPlan(destruction);
    for (const std::string& token : destruction.tokens) KC_RETURN_IF_ERROR(ApproveToken(destruction, token));
    return CarryOut(destruction);
  }

 private:
  template <typename Covered>
  static void PlanKey(const std::string& name, const script::Step& step, const Covered& covered, PlanContext& plan) {
    const estate::Key* known = CheckKey(name, plan);
    if (known == nullptr) return;
    const estate::Key key = *known;
    if (key.state == "active" && !MayBeDestroyed(key)) {
      const base::Error error = StillInUse(key);
      plan.Breach(error.rule, "keys", error.message, error.hint);
    }
    plan.Writes("artefacts/" + DestructionArtefact(name));
    for (const estate::Copy* copy : key.CopiesInPlace()) {
      if (!covered(*copy)) {
        const base::Error error = NotAccountedFor(key, *copy);
        plan.Breach(error.rule, "tokens", error.message, error.hint);
        return;
      }
      plan.Plans(estate::CopyDestroyed{name, copy->token, copy->serial, copy->object_id, "C_DestroyObject", "", ""});
    }
    plan.Plans(estate::KeyDestroyed{name, key.spki_sha256, "", step.fields.TextOr("reason", ""),
                                    DestructionArtefact(name), ""});
  }

  static base::Result<std::vector<estate::Key>> ChooseKeys(const script::Step& step, const estate::Estate& estate,
                                                           const std::string& now) {
    const std::string today = base::DayOf(now);
    std::vector<estate::Key> keys;
    if (!step.fields.Has("keys")) {
      for (const estate::Key* key : estate.KeysToDestroy(today)) keys.push_back(*key);
      if (keys.empty()) {
        return base::Refusal("KEY-DESTROY-03", fmt::format("no held key is due on {}", today),
                             "keyceremony status ARCHIVE says when the next one is");
      }
    }
    for (const std::string& name : TextsOf(step, "keys")) {
      KC_RETURN_IF_ERROR(estate.MayUse(name, "a destruction"));
      keys.push_back(*estate.FindKey(name));
    }
    for (const estate::Key& key : keys) {
      if (!MayBeDestroyed(key)) return StillInUse(key);
      if (!key.hold_until.empty() && today < key.hold_until && !step.fields.Has("reason")) {
        return base::Refusal(
            "EST-HOLD-02",
            fmt::format("key {} is held until {}, and is to be destroyed on {}", key.name, key.hold_until, today),
            "wait, or give the reason for destroying it earlier");
      }
    }
    return keys;
  }

  // Nothing is begun while one copy is out of reach.
  static base::Result<void> CheckReach(const Destruction& destruction) {
    for (const estate::Key& key : destruction.keys) {
      for (const estate::Copy* copy : key.CopiesInPlace()) {
        if (!destruction.Brings(copy->token)) {
          if (destruction.FindElsewhere(copy->token) == nullptr) return NotAccountedFor(key, *copy);
          continue;
        }
        auto token = destruction.context.LocateToken(copy->token);
        if (!token.ok()) {
          base::Error error = std::move(token).error().Prefixed(fmt::format(
              "key {} cannot be destroyed while its copy on token {} is out of reach", key.name, copy->token));
          if (error.rule.empty()) error.rule = "KEY-DESTROY-04";
          return error;
        }
      }
    }
    return {};
  }

  static void ShowPlan(const Destruction& destruction) {
    for (const estate::Key& key : destruction.keys) {
      std::vector<room::Fact> facts = {{"key", key.name},
                                       {"public key", key.spki_sha256},
                                       {"state", key.state},
                                       {"held until", key.hold_until.empty() ? "not held" : key.hold_until}};
      for (const estate::Copy* copy : key.CopiesInPlace()) {
        const Elsewhere* elsewhere = destruction.FindElsewhere(copy->token);
        facts.push_back({copy->kind + " on", fmt::format("{} (serial {}){}", copy->token, copy->serial,
                                                         elsewhere == nullptr ? "" : ": " + elsewhere->reason)});
      }
      destruction.context.terminal().ShowFacts(facts);
    }
  }

  static base::Result<void> ApproveToken(const Destruction& destruction, const std::string& token) {
    StepContext& context = destruction.context;
    const auto keys = destruction.KeysOn(token);
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> located, context.LocateToken(token));
    json copies = json::array();
    std::vector<std::string> names;
    for (const estate::Key* key : keys) {
      copies.push_back(
          {{"key", key->name}, {"spki_sha256", key->spki_sha256}, {"object_id", key->FindCopy(token)->object_id}});
      names.push_back(key->name);
    }
    return context.Approve(names.empty()
                               ? fmt::format("Look at {} for copies that nobody knows of", located->Name())
                               : fmt::format("Destroy {} on {}, for good", fmt::join(names, ", "), located->Name()),
                           {{"token", token},
                            {"serial", located->info().serial},
                            {"copies", std::move(copies)},
                            {"reason", destruction.early()}});
  }
};

}  // namespace

const StepKind& KeyDestroy() {
  static const KeyDestroyKind kind;
  return kind;
}

}  // namespace ceremony::steps
