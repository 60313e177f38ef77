#include "ceremony/steps/token_findings.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "hsm/base/counted.h"
#include "hsm/base/encoding.h"
#include "hsm/inventory.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;

// Entries stay far below the largest line, whatever a token shows.
constexpr std::size_t kMostNamed = 100;

// Expected is one copy that the estate has on the token, and what was seen of it.
struct Expected {
  const estate::Key* key;
  const estate::Copy* copy;
  std::size_t private_objects = 0;
  std::size_t public_objects = 0;
};

class ObjectComparison final {
 public:
  ObjectComparison(const estate::Estate& estate, const std::string& token, const hsm::Inventory& inventory)
      : estate_(estate), token_(*estate.FindToken(token)), inventory_(inventory) {
    for (const estate::Key& key : estate.keys()) {
      if (const estate::Copy* copy = key.FindCopy(token)) expected_.push_back({&key, copy});
    }
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      by_spki_.emplace(expected_[i].key->spki_sha256, i);
      if (!expected_[i].copy->object_id.empty()) by_id_.emplace(expected_[i].copy->object_id, i);
    }
    for (const estate::Certificate& certificate : estate.certificates()) certificates_.insert(certificate.sha256);
    // A private key that does not show its public half is told by the public object beside it.
    for (const hsm::InventoryItem& item : inventory.items) {
      if (item.object.object_class() == CK_OBJECT_CLASS{CKO_PUBLIC_KEY} && !item.spki_sha256.empty())
        public_halves_.emplace(base::HexEncode(item.object.id()), item.spki_sha256);
    }
  }

  std::vector<TokenFinding> Compare(const std::function<bool(const hsm::InventoryItem&)>& is_log_key) {
    bool log_key_seen = false;  // a second private key with its CKA_ID is somebody's copy
    for (const hsm::InventoryItem& item : inventory_.items) {
      const bool is_private = item.object.object_class() == CK_OBJECT_CLASS{CKO_PRIVATE_KEY};
      if (is_log_key(item) && !(is_private && std::exchange(log_key_seen, true))) continue;
      Judge(item);
    }
    for (const Expected& each : expected_) {
      if (each.private_objects > 0) continue;
      Add("TOKEN-OBJECT-02",
          fmt::format("{} lacks the private key of {}, which the estate says it holds", Name(), each.key->name),
          "stop, and find out what happened to the key");
    }
    return std::move(findings_);
  }

 private:
  std::string Name() const {
    return fmt::format("token \"{}\" (serial {})", inventory_.token_label, inventory_.token_serial);
  }
  void Add(const char* rule, std::string message, const char* hint) {
    findings_.push_back({rule, std::move(message), hint});
  }

  std::string PublicHalfOf(const hsm::InventoryItem& item) const {
    if (!item.spki_sha256.empty()) return item.spki_sha256;
    const auto beside = public_halves_.find(base::HexEncode(item.object.id()));
    return beside == public_halves_.end() ? std::string() : beside->second;
  }

  Expected* Find(const hsm::InventoryItem& item, const std::string& spki) {
    const auto found = spki.empty() ? by_id_.find(base::HexEncode(item.object.id())) : by_spki_.find(spki);
    return found == (spki.empty() ? by_id_.end() : by_spki_.end()) ? nullptr : &expected_[found->second];
  }

  void Judge(const hsm::InventoryItem& item) {
    if (!item.problem.empty()) return Strange(item, "");
    const auto object_class = item.object.object_class();
    if (object_class == CK_OBJECT_CLASS{CKO_CERTIFICATE} && certificates_.contains(item.value_sha256)) return;
    const bool is_private = object_class == CK_OBJECT_CLASS{CKO_PRIVATE_KEY};
    const bool is_key = is_private || object_class == CK_OBJECT_CLASS{CKO_PUBLIC_KEY};
    const std::string spki = is_key ? PublicHalfOf(item) : std::string();
    Expected* expected = is_key ? Find(item, spki) : nullptr;
    if (expected == nullptr) return Strange(item, spki);
    std::size_t& seen = is_private ? expected->private_objects : expected->public_objects;
    if (++seen > 1) {
      Add("TOKEN-COPY-02",
          fmt::format("{} holds {}, which is key {} a second time", Name(), hsm::ItemName(item), expected->key->name),
          "somebody has copied the key on the token: stop, and find out who");
      return;
    }
    if (is_private) Attributes(item, *expected);
  }

  void Strange(const hsm::InventoryItem& item, const std::string& spki) {
    const estate::Key* key = spki.empty() ? nullptr : estate_.FindKeyBySpki(spki);
    if (key == nullptr) {
      Add("TOKEN-OBJECT-01", fmt::format("{} holds {}, which no record accounts for", Name(), hsm::ItemName(item)),
          "find out where it comes from before this token is used");
    } else if (!key->domain.empty() && !token_.domain.empty() && key->domain != token_.domain) {
      Add("TOKEN-DOMAIN-02",
          fmt::format("{} of the domain {} holds {}, which is key {} of the domain {}", Name(), token_.domain,
                      hsm::ItemName(item), key->name, key->domain),
          "each PKI has tokens of its own: stop, and find out how the key came here");
    } else {
      Add("TOKEN-COPY-01",
          fmt::format("{} holds {}, which is key {}: a copy that no record accounts for", Name(), hsm::ItemName(item),
                      key->name),
          "somebody has copied the key: stop, and find out who, and where else");
    }
  }

  void Attributes(const hsm::InventoryItem& item, const Expected& expected) {
    const hsm::AttributeSet& attributes = item.attributes;
    const bool readable = attributes.Bool(CKA_SENSITIVE) == false;
    const bool leaves = attributes.Bool(CKA_EXTRACTABLE) == true && !expected.copy->extractable;
    if (!readable && !leaves) return;
    Add("TOKEN-ATTR-01",
        fmt::format("{} holds {}, with {}, and the estate says otherwise of key {}", Name(), hsm::ItemName(item),
                    readable ? "CKA_SENSITIVE=false" : "CKA_EXTRACTABLE=true", expected.key->name),
        "somebody has changed the key, or made another copy of it: stop");
  }

  const estate::Estate& estate_;
  const estate::Token& token_;
  const hsm::Inventory& inventory_;
  std::vector<Expected> expected_;
  std::unordered_map<std::string, std::size_t> by_spki_, by_id_;
  std::unordered_map<std::string, std::string> public_halves_;  // CKA_ID -> SPKI
  std::unordered_set<std::string> certificates_;
  std::vector<TokenFinding> findings_;
};

}  // namespace

base::Result<TokenFacts> ReadTokenFacts(hsm::Token& token) {
  KC_RETURN_IF_ERROR(token.Refresh());
  TokenFacts facts;
  facts.info = token.info();
  const hsm::ModuleInfo& module = token.module().info();
  facts.module = module.manufacturer + ", " + module.description;
  facts.module_version = module.library_version;
  // A module that is no file (a fake, a linked one) has no digest.
  if (const auto digest = token.module().FileSha256(); digest.ok()) facts.module_sha256 = *digest;
  return facts;
}

std::vector<TokenFinding> CompareIdentity(const estate::Token& known, const TokenFacts& facts) {
  std::vector<TokenFinding> findings;
  const auto compare = [&](const char* rule, const char* what, const std::string& was, const std::string& is,
                           const char* hint) {
    if (was.empty() || is.empty() || was == is) return;
    findings.push_back(
        {rule, fmt::format("token {} has the {} {}, the estate knows it with {} {}", known.name, what, is, what, was),
         hint});
  };
  constexpr const char* kOtherDevice = "this is another device: stop, and find out where the right one is";
  constexpr const char* kUpgrade = "a change of firmware or module is a ceremony: firmware.record";
  compare("TOKEN-SERIAL-01", "serial", known.serial, facts.info.serial, kOtherDevice);
  compare("TOKEN-LABEL-01", "label", known.label, facts.info.label, kOtherDevice);
  compare("TOKEN-FIRMWARE-01", "firmware", known.firmware, facts.info.firmware_version, kUpgrade);
  compare("TOKEN-MODULE-02", "module version", known.module_version, facts.module_version, kUpgrade);
  compare("TOKEN-MODULE-02", "module digest", known.module_sha256, facts.module_sha256, kUpgrade);
  return findings;
}

std::vector<TokenFinding> CompareObjects(const estate::Estate& estate, const std::string& token,
                                         const hsm::Inventory& inventory,
                                         const std::function<bool(const hsm::InventoryItem&)>& is_log_key) {
  return ObjectComparison(estate, token, inventory).Compare(is_log_key);
}

base::Result<void> RefuseFindings(StepContext& context, const std::string& token,
                                  const std::vector<TokenFinding>& findings) {
  if (findings.empty()) return {};
  json list = json::array();
  for (const TokenFinding& finding : findings) {
    if (list.size() == kMostNamed) break;
    list.push_back({{"rule", finding.rule}, {"message", finding.message}});
    context.terminal().Say(room::Tone::kBad, fmt::format("{} [{}]", finding.message, finding.rule));
  }
  KC_RETURN_IF_ERROR(context.Record(
      "observe",
      {{"what", "token-findings"}, {"token", token}, {"count", findings.size()}, {"findings", std::move(list)}}));
  std::string message = findings.front().message;
  if (findings.size() > 1) message += "; and " + base::Counted(findings.size() - 1, "more finding", "more findings");
  return base::Refusal(findings.front().rule, message, findings.front().hint);
}

base::Result<void> RecordToken(StepContext& context, const std::string& name, const TokenFacts& facts,
                               const std::vector<std::string>& mechanisms, const hsm::Inventory& inventory) {
  json objects = json::array();
  for (const hsm::InventoryItem& item : inventory.items) {
    if (objects.size() == kMostNamed) break;
    objects.push_back(hsm::ItemName(item));
  }
  const hsm::TokenInfo& info = facts.info;
  KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "token"},
                                                {"token", name},
                                                {"label", info.label},
                                                {"serial", info.serial},
                                                {"manufacturer", info.manufacturer},
                                                {"model", info.model},
                                                {"hardware", info.hardware_version},
                                                {"firmware", info.firmware_version},
                                                {"module", facts.module},
                                                {"module_version", facts.module_version},
                                                {"module_sha256", facts.module_sha256},
                                                {"mechanisms", mechanisms},
                                                {"inventory", inventory.sha256},
                                                {"object_count", inventory.items.size()},
                                                {"object_names", std::move(objects)}}));
  return {};
}

estate::TokenVerified VerifiedAs(const std::string& name, const TokenFacts& facts, const hsm::Inventory& inventory) {
  return {name,
          facts.info.serial,
          facts.info.firmware_version,
          facts.module,
          facts.module_version,
          facts.module_sha256,
          inventory.sha256,
          static_cast<std::int64_t>(inventory.items.size())};
}

}  // namespace ceremony::steps
