// Objects that a token lists and cannot read, and searches that go wrong.
#include <doctest/doctest.h>

#include <algorithm>

#include "hsm/describe.h"
#include "hsm/inventory.h"
#include "hsm/keygen.h"
#include "hsm/login.h"
#include "hsm/lookup.h"
#include "tests/support/fake_token.h"
#include "tests/support/listening_observer.h"
#include "tests/support/objects.h"
#include "tests/support/results.h"
#include "tests/support/softhsm.h"

namespace {

using support::Bad;
using support::Good;

// A token with the whole key "k" (id 01) and two data objects that stand for what a cut has left.
struct TornToken {
  std::shared_ptr<support::FakeDevice> device = std::make_shared<support::FakeDevice>();
  std::shared_ptr<support::ListeningObserver> observer = std::make_shared<support::ListeningObserver>();
  std::shared_ptr<hsm::Module> module;
  std::optional<hsm::LoginScope> login;
  std::optional<hsm::KeyPair> key;
  std::vector<support::FakeObject*> torn;

  TornToken() {
    device->AddToken("serial-1", "root", support::kSoPin, support::kUserPin);
    module = Good(hsm::Module::Wrap(std::make_unique<support::FakeCryptoki>(device),
                                    {.path = "fake", .environment = {}, .init_args = {}}, observer));
    login.emplace(support::SoftHsm::Login(Good(hsm::Token::Locate(module, "root", "serial-1"))));
    key = Good(hsm::GenerateKeyPair(session(), {.label = "k", .id = {1}}).key).pair;
    for (const char* label : {"first", "second"}) {
      hsm::Template data;
      data.Number(CKA_CLASS, CKO_DATA).Bool(CKA_TOKEN, true).Bool(CKA_PRIVATE, false).Text(CKA_LABEL, label);
      support::MakeObject(session(), data);
      torn.push_back(&habits_slot().objects.rbegin()->second);
    }
  }
  hsm::Session& session() { return login->session(); }
  support::FakeSlot& habits_slot() { return device->slots[0]; }
  support::FakeHabits& habits() { return habits_slot().habits; }
};

TEST_CASE("what a token returns for one object is listed with it, and the others are read") {
  for (const CK_RV rv : {CKR_ATTRIBUTE_VALUE_INVALID, CKR_OBJECT_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID}) {
    CAPTURE(hsm::RvName(rv));
    TornToken token;
    token.torn[0]->read_rv = rv;
    const auto inventory = Good(hsm::TakeInventory(token.session()));
    REQUIRE(inventory.items.size() == 4);
    const auto item = std::ranges::find_if(inventory.items, [](const auto& i) { return !i.problem.empty(); });
    REQUIRE(item != inventory.items.end());
    CHECK(item->problem == hsm::RvName(rv));
    CHECK(item->line == "problem=" + hsm::RvName(rv));
    CHECK(hsm::ItemName(*item) == "object that cannot be read (" + hsm::RvName(rv) + ")");
    Good(hsm::FindKeyBySpki(token.session(), token.key->public_key));
    CHECK(Good(token.session().FindAll(hsm::Template())).size() == 4);
    Good(token.session().Destroy(item->object));
    CHECK(Good(hsm::TakeInventory(token.session())).items.size() == 3);
  }
}

TEST_CASE("what may speak of the token, the session, the login or the host ends an inventory") {
  for (const CK_RV rv :
       {CKR_HOST_MEMORY, CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY, CKR_DEVICE_REMOVED, CKR_SESSION_CLOSED,
        CKR_SESSION_HANDLE_INVALID, CKR_TOKEN_NOT_PRESENT, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_GENERAL_ERROR,
        CKR_FUNCTION_FAILED, CKR_USER_NOT_LOGGED_IN, CKR_ACTION_PROHIBITED, CKR_VENDOR_DEFINED | 7UL}) {
    CAPTURE(hsm::RvName(rv));
    TornToken token;
    token.torn[0]->read_rv = rv;
    CHECK(Bad(hsm::TakeInventory(token.session())).rv == rv);
    CHECK(Bad(token.session().FindAll(hsm::Template())).rv == rv);
  }
}

TEST_CASE("SoftHSM says CKR_GENERAL_ERROR of one torn object, and nobody else does") {
  for (const auto& [manufacturer, is_softhsm] : {std::pair("SoftHSM", true), std::pair("Fake HSM Works", false)}) {
    CAPTURE(manufacturer);
    const hsm::Quirks quirks = hsm::QuirksOf(manufacturer, "Implementation of PKCS11", "/module.so");
    CHECK(hsm::SpeaksOfOneObject(quirks, CKR_GENERAL_ERROR) == is_softhsm);
    CHECK_FALSE(hsm::SpeaksOfOneObject(quirks, CKR_FUNCTION_FAILED));
  }
}

TEST_CASE("two objects of which nothing can be read look alike and are still two") {
  TornToken token;
  for (support::FakeObject* torn : token.torn) torn->read_rv = CKR_ATTRIBUTE_VALUE_INVALID;
  const auto both = Good(hsm::TakeInventory(token.session()));
  REQUIRE(both.items.size() == 4);
  Good(token.session().Destroy(
      std::ranges::find_if(both.items, [](const auto& item) { return !item.problem.empty(); })->object));
  const auto one = Good(hsm::TakeInventory(token.session()));
  CHECK(one.sha256 != both.sha256);
  CHECK(hsm::Diff(both, one).vanished.size() == 1);
}

TEST_CASE("a torn object that the token refuses to remove is still listed") {
  TornToken token;
  token.torn[0]->read_rv = CKR_ATTRIBUTE_VALUE_INVALID;
  token.torn[0]->destroy_rv = CKR_FUNCTION_FAILED;
  const auto before = Good(hsm::TakeInventory(token.session()));
  const auto item = std::ranges::find_if(before.items, [](const auto& i) { return !i.problem.empty(); });
  CHECK(Bad(token.session().Destroy(item->object)).rv == CKR_FUNCTION_FAILED);
  CHECK(Good(hsm::TakeInventory(token.session())).sha256 == before.sha256);
}

TEST_CASE("an object that is listed two times is one, and a list that never ends is an error") {
  TornToken token;
  const auto before = Good(hsm::TakeInventory(token.session()));
  token.habits().lists_twice = true;
  CHECK(Good(hsm::TakeInventory(token.session())).sha256 == before.sha256);
  Good(hsm::FindKeyBySpki(token.session(), token.key->public_key));
  token.habits().lists_twice = false;
  token.habits().lists_forever = true;
  CHECK(Bad(hsm::TakeInventory(token.session())).message == "C_FindObjects gave nonsense: the same 4 objects again");
  token.habits().lists_forever = false;
  CHECK(Good(hsm::TakeInventory(token.session())).sha256 == before.sha256);
}

TEST_CASE("a search that a failure has left open is closed before the next one, and that is reported") {
  TornToken token;
  token.habits().forgets_final = true;
  CHECK(Bad(hsm::TakeInventory(token.session())).rv == CKR_FUNCTION_FAILED);
  token.observer->troubles.clear();
  CHECK(Good(hsm::TakeInventory(token.session())).items.size() == 4);
  REQUIRE(token.observer->troubles.size() == 1);
  CHECK(token.observer->troubles[0].ends_with("C_FindObjectsInit returned CKR_OPERATION_ACTIVE"));
}

}  // namespace
