#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/steps/kinds.h"
#include "hsm/base/encoding.h"
#include "hsm/describe.h"
#include "hsm/inventory.h"
#include "hsm/unreadable.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

// Does an object belong to this copy: by its public key, or, for private objects
// that show none, by the CKA_ID that the record knows.
bool BelongsTo(const hsm::InventoryItem& item, const estate::Key& key, const estate::Copy& copy) {
  if (!item.spki_sha256.empty()) return item.spki_sha256 == key.spki_sha256;
  return !copy.object_id.empty() && base::HexEncode(item.object.id()) == copy.object_id;
}

const estate::Copy* CopyOn(const estate::Key& key, const std::string& token) {
  const auto found =
      std::find_if(key.copies.begin(), key.copies.end(), [&](const estate::Copy& c) { return c.token == token; });
  return found == key.copies.end() ? nullptr : &*found;
}

class TokenVerifyKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "token.verify", "Compares a whole token with the estate: its identity, what it can do, every object on it.",
        "an `observe` entry with identity, mechanisms and inventory", "EN 319 411-1 6.5.2; BR 6.2.7"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "token.verify",
        "Compares a whole token with the estate.",
        {Field::Id("token", "the token").Refers(script::Reference::kToken),
         Field::List("mechanisms", Field::Text("", "a mechanism").Example("\"CKM_ECDSA\""), 1, 40,
                     "mechanisms that it must have")
             .Unique()
             .Optional()},
        {}};
    return table;
  }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Verify token {} and everything on it", step.fields.Text("token"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    plan.NeedsCommissionedToken(step.fields.Text("token"));
    plan.Takes(30);
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const std::string& name = step.fields.Text("token");
    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(name));
    hsm::Token& token = session->token();
    KC_RETURN_IF_ERROR(token.Refresh());
    KC_ASSIGN_OR_RETURN(const std::vector<CK_MECHANISM_TYPE> mechanisms, token.Mechanisms());
    KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(*session));
    json mechanism_names = json::array();
    for (const CK_MECHANISM_TYPE mechanism : mechanisms) mechanism_names.push_back(hsm::MechanismName(mechanism));
    json objects = json::array();
    constexpr std::size_t kMostNamed = 100;
    for (const hsm::InventoryItem& item : inventory.items) {
      if (objects.size() == kMostNamed) break;
      objects.push_back(hsm::ItemName(item));
    }
    const hsm::TokenInfo& info = token.info();
    KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "token"},
                                                  {"token", name},
                                                  {"label", info.label},
                                                  {"serial", info.serial},
                                                  {"manufacturer", info.manufacturer},
                                                  {"model", info.model},
                                                  {"hardware", info.hardware_version},
                                                  {"firmware", info.firmware_version},
                                                  {"mechanisms", mechanism_names},
                                                  {"inventory", inventory.sha256},
                                                  {"object_count", inventory.items.size()},
                                                  {"object_names", std::move(objects)}}));
    KC_RETURN_IF_ERROR(CheckMechanisms(step, mechanism_names, info));
    KC_RETURN_IF_ERROR(CheckObjects(name, context, inventory, info));
    context.terminal().ShowFacts({{"token", name},
                                  {"serial", info.serial},
                                  {"firmware", info.firmware_version},
                                  {"objects", fmt::format("{}, all known", inventory.items.size())}});
    context.terminal().Say(room::Tone::kGood, fmt::format("Token {} is what the estate says it is.", name));
    return {};
  }

 private:
  static base::Result<void> CheckMechanisms(const script::Step& step, const json& has, const hsm::TokenInfo& info) {
    if (!step.fields.Has("mechanisms")) return {};
    for (const json& wanted : step.fields.List("mechanisms")) {
      if (std::find(has.begin(), has.end(), wanted) != has.end()) continue;
      return base::Refusal("TOKEN-MECH-01",
                           fmt::format("{} does not have the mechanism {}", info.Name(), wanted.get<std::string>()),
                           "the script cannot run on this token");
    }
    return {};
  }

  static base::Result<void> CheckObjects(const std::string& name, StepContext& context, const hsm::Inventory& inventory,
                                         const hsm::TokenInfo& info) {
    const estate::Token* known = context.estate().FindToken(name);
    if (known != nullptr && known->serial != info.serial) {
      return base::Refusal("TOKEN-SERIAL-01",
                           fmt::format("token {} has the serial {}, the estate knows it with serial {}", name,
                                       info.serial, known->serial),
                           "this is another device: stop, and find out where the right one is");
    }
    const std::vector<const estate::Key*> keys = context.estate().KeysOn(name);
    for (const hsm::InventoryItem& item : inventory.items) {
      const bool expected =
          context.IsLogKey(item) || std::any_of(keys.begin(), keys.end(), [&](const estate::Key* key) {
            return BelongsTo(item, *key, *CopyOn(*key, name));
          });
      if (expected) continue;
      return base::Refusal("TOKEN-OBJECT-01",
                           fmt::format("{} holds {}, which no record accounts for", info.Name(), hsm::ItemName(item)),
                           "find out where it comes from before this token is used");
    }
    for (const estate::Key* key : keys) {
      const bool there =
          std::any_of(inventory.items.begin(), inventory.items.end(), [&](const hsm::InventoryItem& item) {
            return item.object.object_class() == CKO_PRIVATE_KEY && BelongsTo(item, *key, *CopyOn(*key, name));
          });
      if (there) continue;
      return base::Refusal(
          "TOKEN-OBJECT-02",
          fmt::format("{} lacks the private key of {}, which the estate says it holds", info.Name(), key->name),
          "stop, and find out what happened to the key");
    }
    return {};
  }
};

}  // namespace

const StepKind& TokenVerify() {
  static const TokenVerifyKind kind;
  return kind;
}

}  // namespace ceremony::steps
