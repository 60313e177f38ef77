#include "ceremony/steps/key_copies.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "ceremony/steps/unfit_pair.h"
#include "hsm/base/clock_text.h"
#include "hsm/base/encoding.h"
#include "hsm/lookup.h"

namespace ceremony::steps {

using nlohmann::json;

std::vector<std::string> TextsOf(const script::Step& step, std::string_view field) {
  std::vector<std::string> texts;
  if (!step.fields.Has(field)) return texts;
  for (const json& item : step.fields.List(field)) texts.push_back(item.get<std::string>());
  return texts;
}

json ToObject(const hsm::Description& description) {
  json object = json::object();
  for (const hsm::NamedValue& value : description) object[value.name] = value.value;
  return object;
}

base::Result<hsm::KeyPair> FindCopy(hsm::Session& session, const estate::Key& key, const std::string& token) {
  const estate::Copy* copy = key.FindCopy(token);
  if (copy == nullptr) {
    return base::MakeError(base::ErrorCode::kNotFound, fmt::format("key {} has no copy on token {}", key.name, token));
  }
  if (!copy->serial.empty() && copy->serial != session.token().info().serial) {
    return base::Refusal("TOKEN-SERIAL-01",
                         fmt::format("token {} has the serial {}, the copy of key {} is on serial {}", token,
                                     session.token().info().serial, key.name, copy->serial),
                         "this is another device: stop, and find out where the right one is");
  }
  KC_ASSIGN_OR_RETURN(const base::Bytes id, base::HexDecode(copy->object_id));
  KC_ASSIGN_OR_RETURN(hsm::KeyPair pair, hsm::FindPrivateKey(session, "", id));
  if (pair.public_key.SpkiSha256Hex() != key.spki_sha256) {
    return base::Refusal(
        "KEY-SELECT-01",
        fmt::format("the key with id {} on {} has the public key {}, key {} is {}", copy->object_id,
                    session.token().Name(), pair.public_key.SpkiSha256Hex(), key.name, key.spki_sha256),
        "this is another key: stop, and verify the token");
  }
  return pair;
}

std::vector<const hsm::InventoryItem*> ObjectsOf(const hsm::Inventory& inventory, const std::string& spki_sha256,
                                                 const std::string& object_id) {
  std::vector<const hsm::InventoryItem*> found;
  for (const hsm::InventoryItem& item : inventory.items) {
    const bool same = item.spki_sha256.empty() ? !object_id.empty() && base::HexEncode(item.object.id()) == object_id
                                               : item.spki_sha256 == spki_sha256;
    if (same) found.push_back(&item);
  }
  std::stable_partition(found.begin(), found.end(),
                        [](const hsm::InventoryItem* item) { return item->object.object_class() == CKO_PRIVATE_KEY; });
  return found;
}

base::Result<void> CheckForStrangers(StepContext& context, const std::string& token, const hsm::Inventory& inventory) {
  constexpr const char* kHint = "somebody made a copy behind our back: stop, and find out who and how many";
  const estate::Estate& estate = context.estate();
  for (const hsm::InventoryItem& item : inventory.items) {
    const estate::Key* key = item.spki_sha256.empty() ? nullptr : estate.FindKeyBySpki(item.spki_sha256);
    if (key == nullptr || context.IsLogKey(token, item)) continue;
    const estate::Copy* copy = key->FindCopy(token);
    if (copy != nullptr && base::HexEncode(item.object.id()) == copy->object_id) continue;
    return base::Refusal("KEY-STRANGER-01",
                         fmt::format("token {} holds {}, which is key {}; {}", token, item.object.Name(), key->name,
                                     copy == nullptr ? std::string("the archive knows no copy there")
                                                     : "its copy has the id " + copy->object_id),
                         kHint);
  }
  std::set<const hsm::InventoryItem*> known;
  for (const estate::Key* key : estate.KeysOn(token)) {
    std::size_t halves[2] = {0, 0};
    for (const hsm::InventoryItem* item : ObjectsOf(inventory, key->spki_sha256, key->FindCopy(token)->object_id)) {
      known.insert(item);
      if (++halves[item->object.object_class() == CKO_PRIVATE_KEY ? 0 : 1] < 2) continue;
      return base::Refusal("KEY-STRANGER-01",
                           fmt::format("token {} holds {} more than once", token, item->object.Name()), kHint);
    }
  }
  bool log_key_seen = false;  // a second private key with its CKA_ID is somebody's copy
  for (const hsm::InventoryItem& item : inventory.items) {
    if (item.object.object_class() != CKO_PRIVATE_KEY || known.contains(&item)) continue;
    if (context.IsLogKey(token, item) && !std::exchange(log_key_seen, true)) continue;
    return base::Refusal("KEY-STRANGER-02",
                         fmt::format("token {} holds {}, which no record accounts for and which may be any key", token,
                                     item.object.Name()),
                         kHint);
  }
  return {};
}

base::Result<std::optional<hsm::KeyPair>> KeyMadeBefore(StepContext& context, const std::string& key,
                                                        const std::string& token) {
  const Progress::Call* made = context.progress().FindCall("C_GenerateKeyPair", token);
  if (made == nullptr || made->spki.empty()) return std::optional<hsm::KeyPair>();
  KC_ASSIGN_OR_RETURN(const base::Bytes spki, base::Base64Decode(made->spki));
  KC_ASSIGN_OR_RETURN(const base::PublicKey known, base::PublicKey::FromSpki(spki));
  if (!RefuseUnfitPair(known, key, token, context.estate()).ok()) {
    if (!IsDestroyed(known, token, context.progress()))
      KC_RETURN_IF_ERROR(DestroyUnfitPair(known, key, token, context));
    return std::optional<hsm::KeyPair>();
  }
  context.terminal().Say(room::Tone::kPlain, "The key was made before the interruption; it is taken over.");
  KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(token));
  KC_ASSIGN_OR_RETURN(hsm::KeyPair pair, hsm::FindKeyBySpki(*session, known));
  return std::optional<hsm::KeyPair>(std::move(pair));
}

const estate::Key* CheckKey(const std::string& key, PlanContext& plan) {
  const estate::Key* known = plan.estate().FindKey(key);
  if (known == nullptr) {
    plan.Breach("PLAN-KEY-02", "key", fmt::format("by this step nobody has made a key {}", key),
                "put a key.generate step before it, give the archive in which it was made, or correct the name");
  }
  return known;
}

std::string Now(StepContext& context) { return base::FormatTime(context.clock().UtcMicros()); }
base::Result<std::string> AskWhetherTheSame(StepContext& context, const std::string& question_id,
                                            const std::string& text) {
  room::Question question;
  question.kind = room::Question::Kind::kChoice;
  question.id = question_id;
  question.text = text;
  question.choices = {kTheSame, "they differ"};
  question.simulated = kTheSame;
  return context.Ask("", question);
}

std::string Today(StepContext& context) { return base::DayOf(Now(context)); }

}  // namespace ceremony::steps
