#include "ceremony/run/log_key.h"

#include <fmt/format.h>

#include <utility>

#include "ceremony/run/call_journal.h"
#include "hsm/base/encoding.h"
#include "hsm/base/random.h"
#include "hsm/keygen.h"
#include "hsm/lookup.h"
#include "hsm/sign.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

constexpr std::size_t kIdBytes = 16;

base::Result<record::VerifierKey> KeyOf(const std::string& origin, const base::PublicKey& key) {
  return record::VerifierKey::Make(origin, key);
}

}  // namespace

json LogKeyPlan::ToJson() const {
  return {{"format", "keyceremony-log-key/1"},
          {"origin", origin},
          {"script", script},
          {"token", token},
          {"serial", serial},
          {"label", label},
          {"id", id},
          {"inventory", inventory},
          {"objects", objects}};
}

base::Result<LogKeyPlan> LogKeyPlan::FromJson(const json& object) {
  try {
    LogKeyPlan plan;
    object.at("origin").get_to(plan.origin);
    object.at("script").get_to(plan.script);
    object.at("token").get_to(plan.token);
    object.at("serial").get_to(plan.serial);
    object.at("label").get_to(plan.label);
    object.at("id").get_to(plan.id);
    object.at("inventory").get_to(plan.inventory);
    object.at("objects").get_to(plan.objects);
    return plan;
  } catch (const json::exception& e) {
    return base::MakeError(base::ErrorCode::kCorrupt, fmt::format("inputs/{}: {}", kLogKeyInput, e.what()));
  }
}

base::Result<std::optional<LogKeyPlan>> ReadLogKeyPlan(record::Storage& storage, const std::string& folder) {
  constexpr std::uint64_t kMaxPlanBytes = 1u << 24;
  const std::string path = record::JoinPath(record::JoinPath(folder, record::kInputsFolder), kLogKeyInput);
  KC_ASSIGN_OR_RETURN(const auto file, storage.Find(path));
  if (!file) return std::optional<LogKeyPlan>();
  KC_ASSIGN_OR_RETURN(const base::Bytes bytes, record::ReadWholeFile(storage, path, kMaxPlanBytes));
  KC_ASSIGN_OR_RETURN(LogKeyPlan plan,
                      LogKeyPlan::FromJson(nlohmann::json::parse(base::AsText(bytes), nullptr, false)));
  return std::optional<LogKeyPlan>(std::move(plan));
}

base::Result<LogKeyPlan> PlanLogKey(hsm::Session& session, const std::string& token, const std::string& origin,
                                    const std::string& script) {
  KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(session));
  LogKeyPlan plan;
  plan.origin = origin;
  plan.script = script;
  plan.token = token;
  plan.serial = session.token().info().serial;
  plan.id = base::RandomHex(kIdBytes);
  plan.label = "keyceremony log " + plan.id.substr(0, 8);
  plan.inventory = inventory.sha256;
  plan.objects = ObjectDigests(inventory);
  return plan;
}

base::Result<std::unique_ptr<TokenSigner>> TokenSigner::Generate(hsm::Session& session, const LogKeyPlan& plan) {
  hsm::KeyPairSpec spec;
  spec.algorithm = kLogKeyAlgorithm;
  spec.label = plan.label;
  KC_ASSIGN_OR_RETURN(spec.id, base::HexDecode(plan.id));
  hsm::KeyGeneration generation = hsm::GenerateKeyPair(session, spec);
  if (!generation.key.ok()) return std::move(generation.key).error();
  hsm::GeneratedKey made = std::move(generation.key).value();
  KC_ASSIGN_OR_RETURN(record::VerifierKey key, KeyOf(plan.origin, made.pair.public_key));
  return std::unique_ptr<TokenSigner>(new TokenSigner(session, std::move(made.pair), std::move(key)));
}

base::Result<std::unique_ptr<TokenSigner>> TokenSigner::Find(hsm::Session& session, const std::string& origin,
                                                             const std::string& log_key) {
  KC_ASSIGN_OR_RETURN(const base::Bytes spki, base::Base64Decode(log_key));
  KC_ASSIGN_OR_RETURN(const base::PublicKey public_key, base::PublicKey::FromSpki(spki));
  KC_ASSIGN_OR_RETURN(hsm::KeyPair pair, hsm::FindKeyBySpki(session, public_key));
  KC_ASSIGN_OR_RETURN(record::VerifierKey key, KeyOf(origin, public_key));
  return std::unique_ptr<TokenSigner>(new TokenSigner(session, std::move(pair), std::move(key)));
}

base::Result<base::Bytes> TokenSigner::Sign(std::string_view text) {
  return hsm::Sign(session_, pair_, base::SignatureScheme::kEcdsa, base::AsBytes(text), hsm::Consequence::kLogKey);
}

bool IsOfLogKey(const hsm::InventoryItem& item, const std::string& spki_sha256, const std::string& id) {
  if (!item.spki_sha256.empty()) return item.spki_sha256 == spki_sha256;
  return !id.empty() && item.object.object_class() == CK_OBJECT_CLASS{CKO_PRIVATE_KEY} &&
         base::HexEncode(item.object.id()) == id;
}

base::Result<json> DestroyLogKey(hsm::Session& session, const base::PublicKey& log_key, const std::string& label,
                                 const std::string& id, const std::string& time) {
  const std::string spki_sha256 = log_key.SpkiSha256Hex();
  const auto belongs = [&](const hsm::InventoryItem& item) { return IsOfLogKey(item, spki_sha256, id); };
  KC_ASSIGN_OR_RETURN(const hsm::Inventory before, hsm::TakeInventory(session));
  json objects = json::array();
  for (const hsm::InventoryItem& item : before.items) {
    if (!belongs(item)) continue;
    KC_RETURN_IF_ERROR(session.Destroy(item.object));
    objects.push_back({{"object", item.object.Name()}, {"fn", "C_DestroyObject"}, {"rv", "CKR_OK"}});
  }
  KC_ASSIGN_OR_RETURN(const hsm::Inventory after, hsm::TakeInventory(session));
  for (const hsm::InventoryItem& item : after.items) {
    if (belongs(item)) {
      return base::MakeError(base::ErrorCode::kToken, fmt::format("{} is still on {} after it was destroyed",
                                                                  item.object.Name(), session.token().Name()));
    }
  }
  return json{{"what", "the log key was destroyed"},
              {"token", session.token().info().label},
              {"serial", session.token().info().serial},
              {"label", label},
              {"object_id", id},
              {"spki_sha256", spki_sha256},
              {"objects", std::move(objects)},
              {"inventory_before", before.sha256},
              {"inventory_after", after.sha256},
              {"absent", true},
              {"time", time}};
}

}  // namespace ceremony::run
