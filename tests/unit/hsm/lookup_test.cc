// Keys that contradict themselves are not found.
#include "hsm/lookup.h"

#include <doctest/doctest.h>

#include "tests/support/results.h"
#include "tests/unit/hsm/fake_world.h"

namespace {

using support::Bad;
using support::Good;

}  // namespace

TEST_CASE("KEY-FIND-03: a private object that shows what is no key, or another than its material, is not taken") {
  FakeWorld world;
  hsm::LoginScope login = world.Login();
  const hsm::KeyPair key = Good(hsm::GenerateKeyPair(login.session(), {.label = "k", .id = {1}}).key).pair;
  const hsm::KeyPair rsa =
      Good(hsm::GenerateKeyPair(login.session(), {.algorithm = base::KeyAlgorithm::kRsa2048, .label = "r", .id = {2}})
               .key)
          .pair;
  for (const bool two_keys : {false, true}) {
    const hsm::KeyPair& wanted = two_keys ? rsa : key;
    world.habits().lies_of_private_keys[CKA_PUBLIC_KEY_INFO] =
        two_keys ? base::ToBytes(key.public_key.spki()) : base::Bytes{0x30, 0x00};
    CHECK(Bad(hsm::FindKeyBySpki(login.session(), wanted.public_key)).rule == "KEY-FIND-03");
    CHECK(Bad(hsm::FindPrivateKey(login.session(), two_keys ? "r" : "k", {})).rule == "KEY-FIND-03");
    // Also where there is no public object to lead to it.
    Good(login.session().Destroy(*wanted.public_object));
    CHECK(Bad(hsm::FindKeyBySpki(login.session(), wanted.public_key)).rule == "KEY-FIND-01");
    CHECK(Bad(hsm::FindPrivateKey(login.session(), two_keys ? "r" : "k", {})).rule == "KEY-FIND-03");
  }
}

TEST_CASE("a private object that shows nothing is found by its id, and one that shows its key by that") {
  for (const auto shown : {support::FakeHabits::PublicInfo::kEmpty, support::FakeHabits::PublicInfo::kPresent}) {
    FakeWorld world;
    world.habits().public_key_info = shown;
    hsm::LoginScope login = world.Login();
    const hsm::KeyPair key = Good(hsm::GenerateKeyPair(login.session(), {.label = "k", .id = {1}}).key).pair;
    CHECK(Good(hsm::FindKeyBySpki(login.session(), key.public_key)).private_object.handle() ==
          key.private_object.handle());
    CHECK(Good(hsm::FindPrivateKey(login.session(), "k", {})).public_key == key.public_key);
  }
}
