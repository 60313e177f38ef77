// What a ceremony does with a token, through hsm, on every make.
#include <doctest/doctest.h>

#include "hsm/inventory.h"
#include "hsm/keygen.h"
#include "hsm/lookup.h"
#include "hsm/sign.h"
#include "tests/contract/world_under_test.h"
#include "tests/support/results.h"

namespace contract {
namespace {

using support::Bad;
using support::Good;

hsm::GeneratedKey Make(hsm::Session& session, const hsm::KeyPairSpec& spec) {
  hsm::KeyGeneration made = hsm::GenerateKeyPair(session, spec);
  return Good(std::move(made.key));
}

bool Makes(hsm::Token& token, base::KeyAlgorithm algorithm) {
  return algorithm != base::KeyAlgorithm::kEd25519 || Good(token.HasMechanism(CKM_EDDSA));
}

}  // namespace

TEST_CASE("a key of every algorithm is made, read back, found by its public key and signs") {
  const auto world = NewWorld();
  const auto token = world->FindToken(world->LoadModule());
  hsm::LoginScope login = world->Login(token);
  for (const base::KeyAlgorithmFacts& facts : base::KeyAlgorithms()) {
    // Larger RSA keys take seconds and are made alike.
    if (facts.bits > 2048 || !Makes(*token, facts.algorithm)) continue;
    CAPTURE(facts.name);
    const hsm::KeyPair pair = Make(login.session(), {.algorithm = facts.algorithm,
                                                     .label = std::string(facts.name),
                                                     .id = {1, static_cast<std::uint8_t>(facts.algorithm)}})
                                  .pair;
    CHECK(pair.public_key.algorithm() == facts.algorithm);
    const hsm::KeyPair found = Good(hsm::FindKeyBySpki(login.session(), pair.public_key));
    CHECK(found.private_object.handle() == pair.private_object.handle());
    const base::SignatureScheme scheme = hsm::DefaultScheme(facts.algorithm);
    const hsm::Bytes signature =
        Good(hsm::Sign(login.session(), found, scheme, base::AsBytes("message"), hsm::Consequence::kCeremonyKey));
    CHECK(pair.public_key.Verify(scheme, base::AsBytes("message"), signature).ok());
  }
  Good(login.Close());
}

TEST_CASE("a token is the same after the module was reinitialised") {
  const auto world = NewWorld();
  const auto module = world->LoadModule();
  std::string before;
  std::optional<base::PublicKey> key;
  {
    const auto token = world->FindToken(module);
    hsm::LoginScope login = world->Login(token);
    key = Make(login.session(), {.label = "root", .id = {1}}).pair.public_key;
    before = Good(hsm::TakeInventory(login.session())).Text();
    Good(login.Close());
  }
  Good(module->Reinitialise());
  const auto token = world->FindToken(module);
  hsm::LoginScope login = world->Login(token);
  CHECK(Good(hsm::TakeInventory(login.session())).Text() == before);
  Good(hsm::FindKeyBySpki(login.session(), *key));
}

TEST_CASE("a destroyed key pair leaves the inventory as it was before it") {
  const auto world = NewWorld();
  const auto token = world->FindToken(world->LoadModule());
  hsm::LoginScope login = world->Login(token);
  const std::string before = Good(hsm::TakeInventory(login.session())).sha256;
  const hsm::KeyPair pair = Make(login.session(), {.label = "root", .id = {1}}).pair;
  CHECK(Good(hsm::TakeInventory(login.session())).sha256 != before);
  Good(hsm::DestroyKeyPair(login.session(), pair));
  CHECK(Good(hsm::TakeInventory(login.session())).sha256 == before);
  CHECK(Bad(hsm::FindKeyBySpki(login.session(), pair.public_key)).rule == "KEY-FIND-01");
}

TEST_CASE("a second key with the same id is refused before it is made") {
  const auto world = NewWorld();
  const auto token = world->FindToken(world->LoadModule());
  hsm::LoginScope login = world->Login(token);
  Make(login.session(), {.label = "root", .id = {1}});
  const hsm::KeyGeneration second = hsm::GenerateKeyPair(login.session(), {.label = "other", .id = {1}});
  REQUIRE_FALSE(second.key.ok());
  CHECK(second.key.error().rule == "KEY-GEN-03");
  CHECK(second.left_behind.empty());
}

TEST_CASE("long labels and empty searches do no harm") {
  const auto world = NewWorld();
  const auto token = world->FindToken(world->LoadModule());
  hsm::LoginScope login = world->Login(token);
  const hsm::KeyPair pair = Make(login.session(), {.label = std::string(255, 'x'), .id = hsm::Bytes(64, 7)}).pair;
  CHECK(pair.private_object.label() == std::string(255, 'x'));
  CHECK(pair.private_object.id() == hsm::Bytes(64, 7));
  hsm::Template nothing;
  nothing.Raw(CKA_ID, hsm::Bytes{0xee});
  CHECK(Good(login.session().FindAll(nothing)).empty());
}

TEST_CASE("a wrong PIN is a token's refusal") {
  const auto world = NewWorld();
  const auto token = world->FindToken(world->LoadModule());
  const auto login =
      hsm::LoginScope::Open(token, hsm::User::kUser, base::SecretBytes::CopyOf(base::AsBytes("7654321")));
  REQUIRE_FALSE(login.ok());
  CHECK(login.error().rv == CKR_PIN_INCORRECT);
}

}  // namespace contract
