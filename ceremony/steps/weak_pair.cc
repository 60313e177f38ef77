#include "ceremony/steps/weak_pair.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "ceremony/x509/weak_key.h"
#include "hsm/absence.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/inventory.h"

namespace ceremony::steps {
namespace {

constexpr const char* kGone = "weak-key-destroyed";

bool IsOfClass(const hsm::InventoryItem& item, CK_OBJECT_CLASS object_class) {
  return item.object.object_class() == object_class;
}

// Private objects first, so that a cut leaves a public half that leads here again: many tokens show
// the public key of the public object only, and its CKA_ID leads to the other.
std::vector<hsm::Object> ObjectsOf(const hsm::Inventory& inventory, const std::string& spki, const std::string& name) {
  std::vector<base::Bytes> ids;
  for (const hsm::InventoryItem& item : inventory.items) {
    if (item.spki_sha256 == spki && !item.object.id().empty()) ids.push_back(item.object.id());
  }
  std::vector<hsm::Object> objects;
  for (const CK_OBJECT_CLASS object_class : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
    for (const hsm::InventoryItem& item : inventory.items) {
      const bool by_id = item.object.label() == name && std::ranges::find(ids, item.object.id()) != ids.end();
      if (IsOfClass(item, object_class) && (item.spki_sha256 == spki || by_id)) objects.push_back(item.object);
    }
  }
  return objects;
}

void Name(const base::PublicKey& key, const std::string& why, const std::string& name, const std::string& token,
          StepContext& context) {
  context.terminal().Say(room::Tone::kBad,
                         fmt::format("Token {} has made a key {} that is weak: {}", token, name, why));
  context.terminal().ShowDigest("public key of the weak " + name, base::Sha256Of(key.spki()));
}

base::Result<void> Consent(const std::string& token, StepContext& context) {
  room::Question consent;
  consent.kind = room::Question::Kind::kConsent;
  consent.id = "key.generate/destroy-weak";
  consent.text = fmt::format(
      "No certificate may ever name this key. It is destroyed on token {} before another one is made. Type the word to "
      "destroy it.",
      token);
  consent.expected = "destroy";
  consent.simulated = "destroy";
  auto answer = context.Ask("administrator", consent);
  return answer.ok() ? base::Result<void>() : base::Result<void>(std::move(answer).error());
}

}  // namespace

base::Result<void> RefuseWeakPair(const base::PublicKey& key, const std::string& name, const std::string& token) {
  const auto weak = x509::RefuseWeakKey(key);
  if (weak.ok()) return {};
  base::Error error = base::Error(weak.error()).Prefixed(fmt::format("token {} has made a weak key {}", token, name));
  error.hint =
      "try the step again: the key is destroyed then, with consent, before another one is made; a token that makes two "
      "weak keys is broken: stop, and have it examined";
  return error;
}

bool IsDestroyed(const base::PublicKey& key, const std::string& token, const Progress& progress) {
  return progress.HasObserved(kGone, token, key.SpkiSha256Hex());
}

base::Result<void> DestroyWeakPair(const base::PublicKey& key, const std::string& name, const std::string& token,
                                   StepContext& context) {
  const auto weak = x509::RefuseWeakKey(key);
  if (weak.ok()) return base::MakeError(base::ErrorCode::kInternal, fmt::format("key {} is not weak", name));
  Name(key, weak.error().message, name, token, context);
  // An approval serves one attempt: that of the key which this one was to be is used up.
  KC_RETURN_IF_ERROR(context.Approve(
      fmt::format("Destroy the weak key {} on token {}", name, token),
      {{"key", name}, {"token", token}, {"rule", weak.error().rule}, {"spki_sha256", key.SpkiSha256Hex()}}));
  KC_RETURN_IF_ERROR(Consent(token, context));
  KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(token));
  KC_ASSIGN_OR_RETURN(const hsm::Inventory before, hsm::TakeInventory(*session));
  nlohmann::json objects = nlohmann::json::array();
  hsm::AbsentKey gone{name, {}, key.SpkiSha256Hex()};
  for (const hsm::Object& object : ObjectsOf(before, gone.spki_sha256, name)) {
    gone.id = object.id();
    objects.push_back(object.Name());
    KC_RETURN_IF_ERROR(session->Destroy(object));
  }
  KC_RETURN_IF_ERROR(context.RestartModule(token));
  KC_ASSIGN_OR_RETURN(session, context.Session(token));
  KC_ASSIGN_OR_RETURN(const hsm::Absence absence, hsm::ProveAbsent(*session, {gone}));
  KC_RETURN_IF_ERROR(context.Record("deviation", {{"what", "a weak key was made and destroyed"},
                                                  {"rule", weak.error().rule},
                                                  {"token", token},
                                                  {"key", name},
                                                  {"spki_sha256", gone.spki_sha256},
                                                  {"why", weak.error().message}}));
  KC_RETURN_IF_ERROR(context.Record("observe", {{"what", kGone},
                                                {"token", token},
                                                {"key", gone.spki_sha256},
                                                {"objects", objects},
                                                {"searches", absence.searches},
                                                {"inventory", absence.inventory.sha256}}));
  context.terminal().Say(room::Tone::kGood, fmt::format("The weak key {} is gone from token {}.", name, token));
  return {};
}

}  // namespace ceremony::steps
