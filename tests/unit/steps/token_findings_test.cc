// What is found on a token, held against the estate, one object at a time.
#include "ceremony/steps/token_findings.h"

#include <doctest/doctest.h>

#include "hsm/base/encoding.h"

namespace {

using namespace ceremony::estate;
using ceremony::steps::CompareIdentity;
using ceremony::steps::CompareObjects;
using ceremony::steps::TokenFacts;
using ceremony::steps::TokenFinding;

const Provenance kOnce{"0001-root", 12, "2026-01-01T00:00:00.000000Z"};

// Two tokens: `hsm` of the organisation with key root, `other` of the devices with key device.
Estate TwoTokens() {
  Estate estate;
  REQUIRE(estate.Apply(TokenCommissioned{"hsm", "HSM", "S1", "M", "m", "1.0", "live", "organisation"}, kOnce).ok());
  REQUIRE(estate.Apply(TokenCommissioned{"other", "OTHER", "S2", "M", "m", "1.0", "live", "device"}, kOnce).ok());
  REQUIRE(estate.Apply(TokenCommissioned{"third", "THIRD", "S3", "M", "m", "1.0", "live", "organisation"}, kOnce).ok());
  REQUIRE(estate.Apply(KeyCreated{"root", "ec-p256", "sign", "aa", "hsm", "S1", "0a", false}, kOnce).ok());
  REQUIRE(estate.Apply(KeyCreated{"device", "ec-p256", "sign", "dd", "other", "S2", "0d", false}, kOnce).ok());
  REQUIRE(estate.Apply(KeyCreated{"issuing", "ec-p256", "sign", "cc", "third", "S3", "0c", false}, kOnce).ok());
  return estate;
}

hsm::InventoryItem Item(CK_OBJECT_CLASS object_class, const std::string& id, const std::string& spki,
                        bool extractable = false) {
  const auto number = [](CK_ULONG value) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&value);
    return base::Bytes(bytes, bytes + sizeof value);
  };
  hsm::InventoryItem item;
  item.attributes.Set(CKA_CLASS, number(object_class));
  item.attributes.Set(CKA_ID, base::HexDecode(id).value());
  item.attributes.Set(CKA_SENSITIVE, {1});
  item.attributes.Set(CKA_EXTRACTABLE, {static_cast<std::uint8_t>(extractable ? 1 : 0)});
  item.object = hsm::Object(1, item.attributes);
  item.spki_sha256 = spki;
  return item;
}

std::vector<std::string> RulesOf(const std::vector<TokenFinding>& findings) {
  std::vector<std::string> rules;
  for (const TokenFinding& finding : findings) {
    CHECK_FALSE(finding.hint.empty());
    rules.push_back(finding.rule);
  }
  return rules;
}

std::vector<std::string> Found(std::vector<hsm::InventoryItem> items) {
  const Estate estate = TwoTokens();
  hsm::Inventory inventory;
  inventory.token_label = "HSM";
  inventory.token_serial = "S1";
  inventory.items = std::move(items);
  return RulesOf(CompareObjects(estate, "hsm", inventory,
                                [](const hsm::InventoryItem& item) { return item.spki_sha256 == "log"; }));
}

using Rules = std::vector<std::string>;

}  // namespace

TEST_CASE("a token with its key, and with the key that signs the record, has no finding") {
  // Neither module shows the public half of an EC private key: its CKA_ID leads to it.
  CHECK(Found({Item(CKO_PUBLIC_KEY, "0a", "aa"), Item(CKO_PRIVATE_KEY, "0a", ""), Item(CKO_PUBLIC_KEY, "10", "log")})
            .empty());
  CHECK(Found({Item(CKO_PRIVATE_KEY, "ff", "aa")}).empty());
}

TEST_CASE("a key that is missing, there twice, strange, unreadable, or one that could leave is found") {
  CHECK(Found({}) == Rules{"TOKEN-OBJECT-02"});
  CHECK(Found({Item(CKO_PUBLIC_KEY, "0a", "aa")}) == Rules{"TOKEN-OBJECT-02"});
  CHECK(Found({Item(CKO_PRIVATE_KEY, "0a", ""), Item(CKO_PRIVATE_KEY, "0a", "")}) == Rules{"TOKEN-COPY-02"});
  CHECK(Found({Item(CKO_PRIVATE_KEY, "0a", ""), Item(CKO_PRIVATE_KEY, "0b", "")}) == Rules{"TOKEN-OBJECT-01"});
  CHECK(Found({Item(CKO_PRIVATE_KEY, "0a", ""), Item(CKO_SECRET_KEY, "0a", "")}) == Rules{"TOKEN-OBJECT-01"});
  CHECK(Found({Item(CKO_PRIVATE_KEY, "0a", "", true)}) == Rules{"TOKEN-ATTR-01"});
  hsm::InventoryItem broken = Item(CKO_PRIVATE_KEY, "0a", "");
  broken.problem = "CKR_GENERAL_ERROR";
  CHECK(Found({Item(CKO_PRIVATE_KEY, "0a", ""), broken}) == Rules{"TOKEN-OBJECT-01"});
}

TEST_CASE("a copy that no record accounts for is named, and a key of another PKI domain too") {
  const hsm::InventoryItem root = Item(CKO_PRIVATE_KEY, "0a", "");
  CHECK(Found({root, Item(CKO_PRIVATE_KEY, "77", "cc")}) == Rules{"TOKEN-COPY-01"});
  CHECK(Found({root, Item(CKO_PRIVATE_KEY, "77", "dd")}) == Rules{"TOKEN-DOMAIN-02"});
  // The private object does not say whose it is, the public one with its CKA_ID does.
  CHECK(Found({root, Item(CKO_PUBLIC_KEY, "77", "cc"), Item(CKO_PRIVATE_KEY, "77", "")}) ==
        Rules{"TOKEN-COPY-01", "TOKEN-COPY-01"});
}

TEST_CASE("a device that carries the right label is told by serial, firmware and module") {
  Estate estate = TwoTokens();
  REQUIRE(estate.Apply(TokenVerified{"hsm", "S1", "1.0", "M", "2.6", "ab", "ff", 2}, kOnce).ok());
  TokenFacts facts;
  facts.info.label = "HSM";
  facts.info.serial = "S1";
  facts.info.firmware_version = "1.0";
  facts.module_version = "2.6";
  facts.module_sha256 = "ab";
  const auto rules = [&] { return RulesOf(CompareIdentity(*estate.FindToken("hsm"), facts)); };
  CHECK(rules().empty());
  facts.info.serial = "S9";
  CHECK(rules() == Rules{"TOKEN-SERIAL-01"});
  facts.info.serial = "S1";
  facts.info.firmware_version = "1.1";
  facts.module_sha256 = "cd";
  CHECK(rules() == Rules{"TOKEN-FIRMWARE-01", "TOKEN-MODULE-02"});
}
