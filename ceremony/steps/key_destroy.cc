#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "ceremony/steps/destruction_certificate.h"
#include "ceremony/steps/key_copies.h"
#include "ceremony/steps/kinds.h"
#include "hsm/absence.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

constexpr const char* kDestroying = "copy-destroying";
constexpr const char* kGone = "copy-destroyed";

struct Elsewhere {
  std::string token, document, reason;
};

// Destruction is one run of the step.
struct Destruction {
  const script::Step& step;
  StepContext& context;
  std::vector<estate::Key> keys;  // as the estate knows them before
  std::vector<std::string> tokens;
  std::vector<Elsewhere> elsewhere;
  std::map<std::pair<std::string, std::string>, std::string> sign_tries;  // token, key -> what the token answered

  std::string early() const { return step.fields.TextOr("reason", ""); }
  const Elsewhere* FindElsewhere(const std::string& token) const {
    const auto found =
        std::find_if(elsewhere.begin(), elsewhere.end(), [&](const Elsewhere& e) { return e.token == token; });
    return found == elsewhere.end() ? nullptr : &*found;
  }
  std::vector<const estate::Key*> KeysOn(const std::string& token) const {
    std::vector<const estate::Key*> on;
    for (const estate::Key& key : keys) {
      if (key.FindCopy(token) != nullptr) on.push_back(&key);
    }
    return on;
  }
};

std::vector<Elsewhere> ElsewhereOf(const script::Step& step) {
  std::vector<Elsewhere> all;
  if (!step.fields.Has("elsewhere")) return all;
  for (const json& item : step.fields.List("elsewhere")) {
    all.push_back({item.at("token").get<std::string>(), item.at("document").get<std::string>(),
                   item.at("reason").get<std::string>()});
  }
  return all;
}

std::string ArtefactName(const std::string& key) { return fmt::format("destruction/{}.destruction.json", key); }

bool Contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool MayBeDestroyed(const estate::Key& key) {
  return key.state == "deactivated" || key.state == "held" || key.state == "compromised";
}

base::Error StillInUse(const estate::Key& key) {
  return base::Refusal("KEY-DESTROY-01", fmt::format("key {} is {}, and is to be destroyed", key.name, key.state),
                       "take it out of use first, with a key.deactivate step");
}
base::Error NotAccountedFor(const estate::Key& key, const estate::Copy& copy) {
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
        "BR 6.2.10; EN 319 411-1 6.5.2; NIST SP 800-57 Part 1 8.3.4"};
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
    if (step.quorum.empty()) {
      plan.Breach("PLAN-QUORUM-04", "", "keys are to be destroyed, and no quorum approves it",
                  "name the quorum of the key's custodians");
    }
    const auto covered = [&](const estate::Copy& copy) {
      return Contains(tokens, copy.token) ||
             std::any_of(elsewhere.begin(), elsewhere.end(), [&](const Elsewhere& e) { return e.token == copy.token; });
    };
    std::vector<std::string> names = TextsOf(step, "keys");
    if (!step.fields.Has("keys")) {
      // Which keys are due is known on the day; of those that may be, each whose copies are all at hand.
      for (const estate::Key& key : plan.estate().keys()) {
        const auto copies = key.CopiesInPlace();
        if (key.state == "held" &&
            std::all_of(copies.begin(), copies.end(), [&](const estate::Copy* copy) { return covered(*copy); }))
          names.push_back(key.name);
      }
    }
    for (const std::string& name : names) PlanKey(name, step, covered, plan);
  }

  base::Result<void> Preflight(const script::Step& step, PreflightContext& context) const override {
    if (step.fields.Has("keys")) return {};  // an earlier step of this script may make them ready
    KC_ASSIGN_OR_RETURN(const std::vector<estate::Key> keys,
                        ChooseKeys(step, context.estate(), base::FormatTime(context.clock().UtcMicros())));
    static_cast<void>(keys);
    return {};
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    Destruction destruction{step, context, {}, TextsOf(step, "tokens"), ElsewhereOf(step), {}};
    KC_ASSIGN_OR_RETURN(destruction.keys, ChooseKeys(step, context.estate(), Now(context)));
    KC_RETURN_IF_ERROR(CheckReach(destruction));
    ShowPlan(destruction);
    for (const std::string& token : destruction.tokens) KC_RETURN_IF_ERROR(ApproveToken(destruction, token));
    // All tokens are looked at before anything is destroyed on one.
    for (const std::string& token : destruction.tokens) KC_RETURN_IF_ERROR(Inspect(destruction, token));
    for (const std::string& token : destruction.tokens) KC_RETURN_IF_ERROR(DestroyOn(destruction, token));
    KC_RETURN_IF_ERROR(RestartModules(destruction));
    for (const std::string& token : destruction.tokens) KC_RETURN_IF_ERROR(ProveGone(destruction, token));
    for (const estate::Key& key : destruction.keys) KC_RETURN_IF_ERROR(Certify(destruction, key));
    return {};
  }

 private:
  template <typename Covered>
  static void PlanKey(const std::string& name, const script::Step& step, const Covered& covered, PlanContext& plan) {
    const estate::Key* known = CheckKey(name, plan);
    if (known == nullptr) return;
    const estate::Key key = *known;
    if (key.state == "active") {
      const base::Error error = StillInUse(key);
      plan.Breach(error.rule, "keys", error.message, error.hint);
    }
    plan.Writes("artefacts/" + ArtefactName(name));
    for (const estate::Copy* copy : key.CopiesInPlace()) {
      if (!covered(*copy)) {
        const base::Error error = NotAccountedFor(key, *copy);
        plan.Breach(error.rule, "tokens", error.message, error.hint);
        return;
      }
      plan.Plans(estate::CopyDestroyed{name, copy->token, copy->serial, copy->object_id, "C_DestroyObject", "", ""});
    }
    plan.Plans(
        estate::KeyDestroyed{name, key.spki_sha256, "", step.fields.TextOr("reason", ""), ArtefactName(name), ""});
  }

  static base::Result<std::vector<estate::Key>> ChooseKeys(const script::Step& step, const estate::Estate& estate,
                                                           const std::string& now) {
    const std::string today = now.substr(0, 10);
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
        if (!Contains(destruction.tokens, copy->token)) {
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

  // Inspect finds what is unknown, and what is missing without an entry that says who took it.
  static base::Result<void> Inspect(const Destruction& destruction, const std::string& token) {
    StepContext& context = destruction.context;
    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(token));
    KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(*session));
    KC_RETURN_IF_ERROR(CheckForStrangers(context, token, inventory));
    for (const estate::Key* key : destruction.KeysOn(token)) {
      const auto objects = ObjectsOf(inventory, key->spki_sha256, key->FindCopy(token)->object_id);
      const bool there = !objects.empty() && objects.front()->object.object_class() == CKO_PRIVATE_KEY;
      if (there || context.progress().HasObserved(kGone, token, key->name)) continue;
      if (context.progress().HasObserved(kDestroying, token, key->name) &&
          context.progress().HasBegun("C_DestroyObject", token)) {
        context.terminal().Say(
            room::Tone::kPlain,
            fmt::format("The copy of {} on token {} was destroyed before the interruption.", key->name, token));
        continue;
      }
      return base::Refusal(
          "KEY-DESTROY-05",
          fmt::format("token {} lacks the private key of {}, and no record says who destroyed it", token, key->name),
          "stop, and find out what happened to the key");
    }
    return {};
  }

  static base::Result<void> DestroyOn(Destruction& destruction, const std::string& token) {
    StepContext& context = destruction.context;
    const auto keys = destruction.KeysOn(token);
    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(token));
    KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(*session));
    std::vector<std::pair<const estate::Key*, const hsm::InventoryItem*>> objects;
    for (const estate::Key* key : keys) {
      for (const hsm::InventoryItem* item : ObjectsOf(inventory, key->spki_sha256, key->FindCopy(token)->object_id))
        objects.emplace_back(key, item);
    }
    if (objects.empty()) return {};
    room::Question consent;
    consent.kind = room::Question::Kind::kConsent;
    consent.id = "key.destroy/" + token;
    consent.text = fmt::format("{} objects of {} keys on {} are destroyed now, for good. To go on, type: destroy on {}",
                               objects.size(), keys.size(), session->token().Name(), token);
    consent.expected = "destroy on " + token;
    consent.simulated = consent.expected;
    KC_RETURN_IF_ERROR(context.Ask("administrator", consent));
    for (const auto& [key, item] : objects) {
      const bool is_private = item->object.object_class() == CKO_PRIVATE_KEY;
      if (is_private) {
        KC_RETURN_IF_ERROR(context.Record("observe", {{"what", kDestroying},
                                                      {"key", key->name},
                                                      {"token", token},
                                                      {"object_id", key->FindCopy(token)->object_id}}));
      }
      KC_RETURN_IF_ERROR(session->Destroy(item->object));
      if (!is_private) continue;
      KC_ASSIGN_OR_RETURN(
          const std::string answer,
          hsm::TryToSignWith(*session, item->object, base::FindKeyAlgorithm(key->algorithm)->algorithm));
      destruction.sign_tries[{token, key->name}] = answer;
    }
    return {};
  }

  static base::Result<void> RestartModules(const Destruction& destruction) {
    std::set<const hsm::Module*> restarted;
    std::vector<std::string> first_of_module;
    for (const std::string& token : destruction.tokens) {
      KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> located, destruction.context.LocateToken(token));
      if (restarted.insert(&located->module()).second) first_of_module.push_back(token);
    }
    for (const std::string& token : first_of_module) KC_RETURN_IF_ERROR(destruction.context.RestartModule(token));
    destruction.context.terminal().Say(room::Tone::kPlain,
                                       "Everybody is logged out, and the modules have been finalised and initialised "
                                       "again. What is read now comes from the tokens.");
    return {};
  }

  static base::Result<void> ProveGone(Destruction& destruction, const std::string& token) {
    StepContext& context = destruction.context;
    std::vector<hsm::AbsentKey> absent;
    for (const estate::Key* key : destruction.KeysOn(token)) {
      KC_ASSIGN_OR_RETURN(base::Bytes id, base::HexDecode(key->FindCopy(token)->object_id));
      absent.push_back({key->name, std::move(id), key->spki_sha256});
    }
    // A token that was only looked at is looked at again: a copy may have come meanwhile.
    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(token));
    KC_ASSIGN_OR_RETURN(const hsm::Absence absence, hsm::ProveAbsent(*session, absent));
    for (const estate::Key* key : destruction.KeysOn(token)) {
      const estate::Copy& copy = *key->FindCopy(token);
      const std::string now = Now(context);
      if (!context.progress().HasObserved(kGone, token, key->name)) {
        const auto tried = destruction.sign_tries.find({token, key->name});
        json tests = absence.searches;
        tests.push_back("C_Finalize and C_Initialize before all of these");
        if (tried != destruction.sign_tries.end()) tests.push_back("C_SignInit with its handle: " + tried->second);
        KC_RETURN_IF_ERROR(context.Record("observe", {{"what", kGone},
                                                      {"key", key->name},
                                                      {"token", token},
                                                      {"serial", copy.serial},
                                                      {"object_id", copy.object_id},
                                                      {"spki_sha256", key->spki_sha256},
                                                      {"tests", std::move(tests)},
                                                      {"inventory", absence.inventory.sha256},
                                                      {"object_count", absence.inventory.items.size()}}));
      }
      KC_RETURN_IF_ERROR(context.Achieve(
          estate::CopyDestroyed{key->name, token, copy.serial, copy.object_id, "C_DestroyObject", "", now}));
      context.terminal().Say(room::Tone::kGood, fmt::format("Key {} is gone from token {}.", key->name, token));
    }
    return {};
  }

  static base::Result<void> Certify(const Destruction& destruction, const estate::Key& key) {
    StepContext& context = destruction.context;
    std::vector<DestroyedCopy> copies;
    for (const estate::Copy* copy : key.CopiesInPlace()) {
      DestroyedCopy gone{copy->token, copy->serial, copy->object_id, copy->kind, "C_DestroyObject",
                         "",          "",           Now(context),    {}};
      if (!Contains(destruction.tokens, copy->token)) {
        const Elsewhere& elsewhere = *destruction.FindElsewhere(copy->token);
        gone.method = "elsewhere";
        gone.evidence = elsewhere.document;
        gone.reason = elsewhere.reason;
        KC_RETURN_IF_ERROR(context.Achieve(estate::CopyDestroyed{key.name, copy->token, copy->serial, copy->object_id,
                                                                 gone.method, gone.evidence, gone.on}));
      } else {
        gone.tests = {"CKA_ID " + copy->object_id + ": no object", "CKA_LABEL \"" + key.name + "\": no key",
                      "public key among all objects: none", "after C_Finalize and C_Initialize"};
        const auto tried = destruction.sign_tries.find({copy->token, key.name});
        if (tried != destruction.sign_tries.end()) gone.tests.push_back("C_SignInit with its handle: " + tried->second);
      }
      copies.push_back(std::move(gone));
    }
    const std::string name = ArtefactName(key.name);
    std::string digest;
    if (const Progress::Artefact* written = context.progress().FindArtefact(name)) {
      digest = written->sha256;  // before an interruption, and it says the same
    } else {
      const std::string text = DestructionCertificate(context, key, copies, destruction.early());
      KC_RETURN_IF_ERROR(context.WriteArtefact(name, "certificate-of-destruction", base::AsBytes(text)));
      digest = base::Sha256Hex(text);
    }
    KC_RETURN_IF_ERROR(context.Achieve(
        estate::KeyDestroyed{key.name, key.spki_sha256, Now(context), destruction.early(), name, digest}));
    context.terminal().ShowFacts({{"destroyed", key.name},
                                  {"copies", std::to_string(copies.size())},
                                  {"certificate", name},
                                  {"its SHA-256", digest}});
    context.terminal().Say(room::Tone::kPlain,
                           "PKCS#11 shows that the key answers nowhere; it cannot show that the memory in which it was "
                           "has been overwritten.");
    return {};
  }
};

}  // namespace

const StepKind& KeyDestroy() {
  static const KeyDestroyKind kind;
  return kind;
}

}  // namespace ceremony::steps
