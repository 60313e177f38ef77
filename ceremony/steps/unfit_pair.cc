#include "ceremony/steps/unfit_pair.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "ceremony/steps/consent.h"
#include "ceremony/steps/key_copies.h"
#include "ceremony/x509/mirror_key.h"
#include "ceremony/x509/weak_key.h"
#include "hsm/absence.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/inventory.h"

namespace ceremony::steps {
namespace {

// What is said of a key that cannot stay, and where it is written down.
struct Kind {
  const char* observed;   // what of the `observe` entry
  const char* deviation;  // what of the `deviation` entry
  const char* question;
  const char* adjective;  // "the weak key root-oca"
  const char* why;        // why it may serve nobody
};
constexpr Kind kWeak{"weak-key-destroyed", "a weak key was made and destroyed", "key.generate/destroy-weak", "weak",
                     "No certificate may ever name this key."};
constexpr Kind kDouble{"double-key-destroyed", "a key of the archive was made again and destroyed",
                       "key.generate/destroy-double", "double", "It belongs to another name already."};

const estate::Key* OtherKeyOf(const base::PublicKey& key, const std::string& name, const estate::Estate& estate) {
  const estate::Key* known = estate.FindKeyBySpki(key.SpkiSha256Hex());
  if (known == nullptr) {
    const auto mirror = x509::MirrorOf(key);
    if (mirror) known = estate.FindKeyBySpki(mirror->SpkiSha256Hex());
  }
  return known == nullptr || known->name == name ? nullptr : known;
}

bool IsOfClass(const hsm::InventoryItem& item, CK_OBJECT_CLASS object_class) {
  return item.object.object_class() == object_class;
}

// Private objects first, so that a cut leaves a public half that leads here again: many tokens show
// the public key of the public object only, and its CKA_ID leads to the other. A copy that the archive
// has on this token is `kept` by its CKA_ID.
std::vector<hsm::Object> ObjectsOf(const hsm::Inventory& inventory, const std::string& spki, const std::string& name,
                                   const estate::Copy* kept) {
  const auto is_kept = [&](const hsm::InventoryItem& item) {
    return kept != nullptr && base::HexEncode(item.object.id()) == kept->object_id;
  };
  std::vector<base::Bytes> ids;
  for (const hsm::InventoryItem& item : inventory.items) {
    if (item.spki_sha256 == spki && !item.object.id().empty() && !is_kept(item)) ids.push_back(item.object.id());
  }
  std::vector<hsm::Object> objects;
  for (const CK_OBJECT_CLASS object_class : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
    for (const hsm::InventoryItem& item : inventory.items) {
      const bool by_id = item.object.label() == name && std::ranges::find(ids, item.object.id()) != ids.end();
      const bool found = !is_kept(item) && (item.spki_sha256 == spki || by_id);
      if (IsOfClass(item, object_class) && found) objects.push_back(item.object);
    }
  }
  return objects;
}

}  // namespace

base::Result<void> RefuseUnfitPair(const base::PublicKey& key, const std::string& name, const std::string& token,
                                   const estate::Estate& estate) {
  if (const auto weak = x509::RefuseWeakKey(key); !weak.ok()) {
    base::Error error = base::Error(weak.error()).Prefixed(fmt::format("token {} has made a weak key {}", token, name));
    error.hint =
        "try the step again: the key is destroyed then, with consent, before another one is made; a token that makes "
        "two weak keys is broken: stop, and have it examined";
    return error;
  }
  const estate::Key* other = OtherKeyOf(key, name, estate);
  if (other == nullptr) return {};
  return base::Refusal(
      "EST-KEY-02",
      fmt::format("token {} has made a key {} whose public key {} already belongs to key {}", token, name,
                  key.SpkiSha256Hex(), other->name),
      "one key must never serve two CAs: stop, and find out where it comes from; when the step is tried again, what it "
      "has made is destroyed, with consent, before another key is made");
}

bool IsDestroyed(const base::PublicKey& key, const std::string& token, const Progress& progress) {
  const std::string spki = base::Base64Encode(key.spki());
  const auto made = std::ranges::count_if(progress.calls, [&](const Progress::Call& call) {
    return call.function == "C_GenerateKeyPair" && call.token == token && call.spki == spki;
  });
  const auto gone = std::ranges::count_if(progress.observations, [&](const Progress::Observation& seen) {
    return (seen.what == kWeak.observed || seen.what == kDouble.observed) && seen.token == token &&
           seen.key == key.SpkiSha256Hex();
  });
  return gone >= made;
}

base::Result<void> DestroyUnfitPair(const base::PublicKey& key, const std::string& name, const std::string& token,
                                    StepContext& context) {
  const auto refused = RefuseUnfitPair(key, name, token, context.estate());
  if (refused.ok())
    return base::MakeError(base::ErrorCode::kInternal, fmt::format("nothing is wrong with key {}", name));
  const estate::Key* other = OtherKeyOf(key, name, context.estate());
  const Kind& kind = other == nullptr ? kWeak : kDouble;
  const estate::Copy* kept = other == nullptr ? nullptr : other->FindCopy(token);
  const std::string spki = key.SpkiSha256Hex();
  context.terminal().Say(room::Tone::kBad, refused.error().message);
  context.terminal().ShowDigest(fmt::format("public key of the {} {}", kind.adjective, name),
                                base::Sha256Of(key.spki()));
  // An approval serves one attempt: that of the key which this one was to be is used up.
  KC_RETURN_IF_ERROR(
      context.Approve(fmt::format("Destroy the {} key {} on token {}", kind.adjective, name, token),
                      {{"key", name}, {"token", token}, {"rule", refused.error().rule}, {"spki_sha256", spki}}));
  KC_RETURN_IF_ERROR(
      AskConsent(context, "administrator",
                 {.id = kind.question,
                  .text = fmt::format("{} It is destroyed on token {} before another one is made.", kind.why, token),
                  .expected = "destroy"}));
  KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(token));
  KC_ASSIGN_OR_RETURN(const hsm::Inventory before, hsm::TakeInventory(*session));
  nlohmann::json objects = nlohmann::json::array();
  hsm::AbsentKey gone{name, {}, kept != nullptr ? "" : spki};
  for (const hsm::Object& object : ObjectsOf(before, spki, name, kept)) {
    gone.id = object.id();
    objects.push_back(object.Name());
    KC_RETURN_IF_ERROR(session->Destroy(object));
  }
  KC_RETURN_IF_ERROR(context.RestartModule(token));
  KC_ASSIGN_OR_RETURN(session, context.Session(token));
  KC_ASSIGN_OR_RETURN(const hsm::Absence absence, hsm::ProveAbsent(*session, {gone}));
  if (kept != nullptr) KC_RETURN_IF_ERROR(FindCopy(*session, *other, token));
  KC_RETURN_IF_ERROR(context.Record("deviation", {{"what", kind.deviation},
                                                  {"rule", refused.error().rule},
                                                  {"token", token},
                                                  {"key", name},
                                                  {"spki_sha256", spki},
                                                  {"why", refused.error().message}}));
  KC_RETURN_IF_ERROR(context.Record("observe", {{"what", kind.observed},
                                                {"token", token},
                                                {"key", spki},
                                                {"objects", objects},
                                                {"searches", absence.searches.front()},
                                                {"inventory", absence.inventory.sha256}}));
  context.terminal().Say(room::Tone::kGood,
                         fmt::format("The {} key {} is gone from token {}.", kind.adjective, name, token));
  return {};
}

}  // namespace ceremony::steps
