#include "ceremony/steps/destruction.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "ceremony/steps/consent.h"
#include "ceremony/steps/copy_arrival.h"
#include "ceremony/steps/destruction_certificate.h"
#include "ceremony/steps/key_copies.h"
#include "hsm/absence.h"
#include "hsm/base/counted.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;

constexpr const char* kDestroying = "copy-destroying";
constexpr const char* kGone = "copy-destroyed";

// Inspect finds what is unknown, and what is missing without an entry that says who took it.
base::Result<void> Inspect(const Destruction& destruction, const std::string& token) {
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
    if (const estate::Provenance& begun = key->FindCopy(token)->destroying; !begun.ceremony.empty()) {
      context.terminal().Say(
          room::Tone::kPlain,
          fmt::format("The copy of {} on token {} was destroyed in {}, which was ended before it was shown to be gone.",
                      key->name, token, estate::Where(begun)));
      continue;
    }
    return base::Refusal(
        "KEY-DESTROY-05",
        fmt::format("token {} lacks the private key of {}, and no record says who destroyed it", token, key->name),
        "stop, and find out what happened to the key");
  }
  return {};
}

// Whoever reads the consent must have it before them at once.
std::string NamesOf(const std::vector<const estate::Key*>& keys) {
  constexpr std::size_t kMostNamed = 8;
  if (keys.size() > kMostNamed) return base::Counted(keys.size(), "key", "keys");
  std::string names = keys.size() == 1 ? "the key " : "the keys ";
  for (std::size_t i = 0; i < keys.size(); ++i) names += (i == 0 ? "" : ", ") + keys[i]->name;
  return names;
}

base::Result<void> DestroyOn(Destruction& destruction, const std::string& token) {
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
  KC_RETURN_IF_ERROR(AskConsent(
      context, "administrator",
      {.id = "key.destroy/" + token,
       .text = fmt::format("If you type this, {} of {} on {} will be destroyed. It cannot be undone.",
                           base::Counted(objects.size(), "object", "objects"), NamesOf(keys), session->token().Name()),
       .expected = "destroy on " + token}));
  for (const auto& [key, item] : objects) {
    const bool is_private = item->object.object_class() == CKO_PRIVATE_KEY;
    KC_ASSIGN_OR_RETURN(const base::KeyAlgorithm algorithm, AlgorithmOf(*key));
    if (is_private) {
      KC_RETURN_IF_ERROR(context.Record("observe", {{"what", kDestroying},
                                                    {"key", key->name},
                                                    {"token", token},
                                                    {"object_id", key->FindCopy(token)->object_id}}));
    }
    KC_RETURN_IF_ERROR(session->Destroy(item->object));
    if (!is_private) continue;
    KC_ASSIGN_OR_RETURN(const std::string answer, hsm::TryToSignWith(*session, item->object, algorithm));
    destruction.sign_tries[{token, key->name}] = answer;
  }
  return {};
}

base::Result<void> RestartModules(const Destruction& destruction) {
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

base::Result<void> ProveGone(Destruction& destruction, const std::string& token) {
  StepContext& context = destruction.context;
  std::vector<hsm::AbsentKey> absent;
  for (const estate::Key* key : destruction.KeysOn(token)) {
    KC_ASSIGN_OR_RETURN(base::Bytes id, base::HexDecode(key->FindCopy(token)->object_id));
    absent.push_back({key->name, std::move(id), key->spki_sha256});
  }
  // A token that was only looked at is looked at again: a copy may have come meanwhile.
  KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(token));
  KC_ASSIGN_OR_RETURN(const hsm::Absence absence, hsm::ProveAbsent(*session, absent));
  auto searches = absence.searches.begin();
  for (const estate::Key* key : destruction.KeysOn(token)) {
    const estate::Copy& copy = *key->FindCopy(token);
    const std::string now = Now(context);
    std::vector<std::string>& tests = destruction.tests[{token, key->name}];
    tests = *searches++;
    tests.emplace_back("C_Finalize and C_Initialize before all of these");
    const auto tried = destruction.sign_tries.find({token, key->name});
    if (tried != destruction.sign_tries.end()) tests.push_back("C_SignInit with its handle: " + tried->second);
    if (!context.progress().HasObserved(kGone, token, key->name)) {
      KC_RETURN_IF_ERROR(context.Record("observe", {{"what", kGone},
                                                    {"key", key->name},
                                                    {"token", token},
                                                    {"serial", copy.serial},
                                                    {"object_id", copy.object_id},
                                                    {"spki_sha256", key->spki_sha256},
                                                    {"tests", tests},
                                                    {"inventory", absence.inventory.sha256},
                                                    {"object_count", absence.inventory.items.size()}}));
    }
    KC_RETURN_IF_ERROR(context.Achieve(
        estate::CopyDestroyed{key->name, token, copy.serial, copy.object_id, "C_DestroyObject", "", now}));
    context.terminal().Say(room::Tone::kGood, fmt::format("Key {} is gone from token {}.", key->name, token));
  }
  return {};
}

base::Result<void> Certify(const Destruction& destruction, const estate::Key& key) {
  StepContext& context = destruction.context;
  std::vector<DestroyedCopy> copies;
  for (const estate::Copy* copy : key.CopiesInPlace()) {
    DestroyedCopy gone{copy->token, copy->serial, copy->object_id, copy->kind, "C_DestroyObject",
                       "",          "",           Now(context),    {}};
    if (!destruction.Brings(copy->token)) {
      const Elsewhere& elsewhere = *destruction.FindElsewhere(copy->token);
      gone.method = "elsewhere";
      gone.evidence = elsewhere.document;
      gone.reason = elsewhere.reason;
      KC_RETURN_IF_ERROR(context.Achieve(estate::CopyDestroyed{key.name, copy->token, copy->serial, copy->object_id,
                                                               gone.method, gone.evidence, gone.on}));
    } else {
      gone.tests = destruction.tests.at({copy->token, key.name});
    }
    copies.push_back(std::move(gone));
  }
  const std::string name = DestructionArtefact(key.name);
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

}  // namespace

std::string DestructionArtefact(const std::string& key) { return fmt::format("destruction/{}.destruction.json", key); }

base::Result<void> CarryOut(Destruction& destruction) {
  // All tokens are looked at before anything is destroyed on one.
  for (const std::string& token : destruction.tokens) KC_RETURN_IF_ERROR(Inspect(destruction, token));
  for (const std::string& token : destruction.tokens) KC_RETURN_IF_ERROR(DestroyOn(destruction, token));
  KC_RETURN_IF_ERROR(RestartModules(destruction));
  for (const std::string& token : destruction.tokens) KC_RETURN_IF_ERROR(ProveGone(destruction, token));
  for (const estate::Key& key : destruction.keys) KC_RETURN_IF_ERROR(Certify(destruction, key));
  return {};
}

}  // namespace ceremony::steps
