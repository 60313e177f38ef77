#include "hsm/inventory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "hsm/base/digest.h"
#include "hsm/keygen.h"
#include "hsm/login.h"
#include "tests/support/fake_token.h"
#include "tests/support/objects.h"
#include "tests/support/results.h"
#include "tests/support/softhsm.h"

namespace {

using base::Bytes;
using hsm::AttributeSet;
using hsm::Inventory;
using hsm::InventoryItem;
using support::Good;

Bytes Number(CK_ULONG number) {
  Bytes bytes(sizeof number);
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

InventoryItem Item(CK_ULONG object_class, Bytes id, const std::string& spki, bool extractable) {
  InventoryItem item;
  if (object_class != CK_UNAVAILABLE_INFORMATION) item.attributes.Set(CKA_CLASS, Number(object_class));
  if (!id.empty()) item.attributes.Set(CKA_ID, std::move(id));
  item.attributes.Set(CKA_EXTRACTABLE, {static_cast<std::uint8_t>(extractable ? 1 : 0)});
  item.object = hsm::Object(1, item.attributes);
  item.spki_sha256 = spki;
  for (const auto& field : item.attributes.Describe()) item.line += field.name + "=" + field.value + " ";
  item.line += spki;
  return item;
}

Inventory Of(std::vector<InventoryItem> items) {
  Inventory inventory;
  inventory.items = std::move(items);
  std::ranges::sort(inventory.items, {}, &InventoryItem::line);
  return inventory;
}

TEST_CASE("two equal objects are two, and losing one of them is seen") {
  const auto twin = Item(CKO_PRIVATE_KEY, {1}, "", false);
  const auto difference = hsm::Diff(Of({twin, twin}), Of({twin}));
  CHECK(difference.vanished.size() == 1);
  CHECK(difference.appeared.empty());
  CHECK(hsm::Diff(Of({twin, twin}), Of({twin, twin})).empty());
}

TEST_CASE("an object is followed by its key when its id changes, and by its id when it shows no key") {
  const auto by_key =
      hsm::Diff(Of({Item(CKO_PUBLIC_KEY, {1}, "aa", false)}), Of({Item(CKO_PUBLIC_KEY, {2}, "aa", false)}));
  REQUIRE(by_key.changed.size() == 1);
  CHECK(by_key.changed[0].differences == hsm::Description{{"CKA_ID", "01 -> 02"}});
  const auto by_id = hsm::Diff(Of({Item(CKO_PRIVATE_KEY, {1}, "", true)}), Of({Item(CKO_PRIVATE_KEY, {1}, "", false)}));
  REQUIRE(by_id.changed.size() == 1);
  CHECK(by_id.changed[0].differences == hsm::Description{{"CKA_EXTRACTABLE", "true -> false"}});
}

TEST_CASE("another key under the same id is another object") {
  const auto difference =
      hsm::Diff(Of({Item(CKO_PUBLIC_KEY, {1}, "aa", false)}), Of({Item(CKO_PUBLIC_KEY, {1}, "bb", false)}));
  CHECK(difference.changed.empty());
  CHECK(difference.vanished.size() == 1);
  CHECK(difference.appeared.size() == 1);
}

TEST_CASE("an object that lost class and id is not taken for another") {
  const auto torn = Item(CK_UNAVAILABLE_INFORMATION, {}, "", false);
  const auto whole = Item(CKO_PRIVATE_KEY, {1}, "", false);
  const auto difference = hsm::Diff(Of({whole}), Of({torn}));
  CHECK(difference.changed.empty());
  CHECK(difference.appeared.size() == 1);
  CHECK(difference.appeared[0].object.Name() == "object without class without label (no id)");
}

TEST_CASE("if there is a choice the fewest differences win") {
  const auto difference =
      hsm::Diff(Of({Item(CKO_PRIVATE_KEY, {1}, "", true), Item(CKO_PUBLIC_KEY, {1}, "", true)}),
                Of({Item(CKO_PRIVATE_KEY, {1}, "", false), Item(CK_UNAVAILABLE_INFORMATION, {1}, "", true)}));
  REQUIRE(difference.changed.size() == 2);
  for (const auto& change : difference.changed) CHECK(change.differences.size() == 1);
}

TEST_CASE("ten thousand changed objects are compared without comparing all with all") {
  std::vector<InventoryItem> before;
  std::vector<InventoryItem> after;
  for (unsigned i = 0; i < 10000; ++i) {
    const Bytes id = {static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
    before.push_back(Item(CKO_PRIVATE_KEY, id, "", true));
    after.push_back(Item(CKO_PRIVATE_KEY, id, "", false));
  }
  CHECK(hsm::Diff(Of(std::move(before)), Of(std::move(after))).changed.size() == 10000);
}

struct FakeHsm {
  std::shared_ptr<support::FakeDevice> device = std::make_shared<support::FakeDevice>();
  std::shared_ptr<hsm::Module> module;
  std::shared_ptr<hsm::Token> token;

  FakeHsm() {
    device->AddToken("serial-1", "root", support::kSoPin, support::kUserPin);
    module = Good(hsm::Module::Wrap(std::make_unique<support::FakeCryptoki>(device),
                                    {.path = "fake", .environment = {}, .init_args = {}}, nullptr));
    token = Good(hsm::Token::Locate(module, "root", "serial-1"));
  }
};

TEST_CASE("the canonical text is as documented, and its SHA-256 is the digest") {
  FakeHsm fake;
  auto login = support::SoftHsm::Login(fake.token);
  hsm::Template data;
  data.Number(CKA_CLASS, CKO_DATA)
      .Bool(CKA_TOKEN, true)
      .Bool(CKA_PRIVATE, false)
      .Text(CKA_LABEL, "a \"b\" \\ \x01")
      .Text(CKA_APPLICATION, "app");
  support::MakeObject(login.session(), data);
  const Inventory inventory = Good(hsm::TakeInventory(login.session()));
  const std::string text = inventory.Text();
  CHECK(text.starts_with("keyceremony-inventory 1\ntoken label=\"root\" serial=\"serial-1\"\n"));
  CHECK(text.find("CKA_CLASS=CKO_DATA CKA_TOKEN=true CKA_PRIVATE=false CKA_LABEL=\"a \\\"b\\\" \\\\ \\x01\"") !=
        std::string::npos);
  CHECK(text.find("CKA_APPLICATION=\"app\"") != std::string::npos);
  CHECK(text.ends_with("\n"));
  CHECK(inventory.sha256 == base::Sha256Hex(text));
}

TEST_CASE("a private key that a cut left without class or id is in the inventory") {
  for (const auto torn : {support::FakeHabits::Torn::kWithoutId, support::FakeHabits::Torn::kWithoutClass,
                          support::FakeHabits::Torn::kPrivateAlone, support::FakeHabits::Torn::kPublicAlone}) {
    FakeHsm fake;
    auto login = support::SoftHsm::Login(fake.token);
    const Inventory before = Good(hsm::TakeInventory(login.session()));
    fake.device->slots[0].habits.torn = torn;
    const auto made = hsm::GenerateKeyPair(login.session(), {.label = "k", .id = {1}});
    REQUIRE_FALSE(made.key.ok());
    CHECK(made.key.error().rv == CKR_DEVICE_ERROR);
    const auto difference = hsm::Diff(before, Good(hsm::TakeInventory(login.session())));
    CHECK(difference.appeared.size() >= 1);
    CHECK(difference.changed.empty());
    CHECK(difference.vanished.empty());
  }
}

}  // namespace
