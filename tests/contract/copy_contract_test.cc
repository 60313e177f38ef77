// Copies of keys between tokens of every make.
#include <doctest/doctest.h>

#include <algorithm>

#include "hsm/inventory.h"
#include "hsm/lookup.h"
#include "hsm/sign.h"
#include "hsm/wrap.h"
#include "tests/contract/world_under_test.h"
#include "tests/support/results.h"

namespace contract {
namespace {

using support::Bad;
using support::Good;

// One end of a copy: a world's token, logged in.
struct End {
  explicit End(support::TokenWorld& world)
      : name(world.name()), token(world.FindToken(world.LoadModule())), login(world.Login(token)) {}
  hsm::Session& session() { return login.session(); }

  std::string name;
  std::shared_ptr<hsm::Token> token;
  hsm::LoginScope login;
};

hsm::KeyPairSpec Spec(base::KeyAlgorithm algorithm, hsm::Extractable extractable) {
  return {.algorithm = algorithm,
          .label = "root",
          .id = {1, static_cast<std::uint8_t>(algorithm)},
          .extractable = extractable,
          .modifiable = hsm::Modifiable::kYes};
}

// What a copy on this end can be: a module that lets every key out has no copies that stay.
hsm::Extractable Kept(End& end) {
  return end.token->quirks().seal_is_not_kept ? hsm::Extractable::kYes : hsm::Extractable::kNo;
}

void CopyAndUse(End& from, End& to) {
  CAPTURE(from.name);
  CAPTURE(to.name);
  const std::vector<hsm::CopyWay> ways = Good(hsm::CopyWays(*from.token, *to.token));
  for (const hsm::CopyWay& way : ways) {
    const std::string way_name = way.Name();
    CAPTURE(way_name);
    for (const base::KeyAlgorithm algorithm : {base::KeyAlgorithm::kEcP256, base::KeyAlgorithm::kRsa2048}) {
      hsm::KeyGeneration made = hsm::GenerateKeyPair(from.session(), Spec(algorithm, hsm::Extractable::kYes));
      const hsm::KeyPair key = Good(std::move(made.key)).pair;
      const std::string before = Good(hsm::TakeInventory(from.session())).sha256;
      hsm::KeyCopying copying = hsm::CopyKey(from.session(), key, to.session(), way, Spec(algorithm, Kept(to)),
                                             {.rsa = base::KeyAlgorithm::kRsa2048});
      CHECK(copying.left_behind.empty());
      const hsm::KeyCopy copy = Good(std::move(copying.copy));
      CHECK(copy.pair.public_key == key.public_key);
      CHECK(copy.trials.size() == 3);
      CHECK(Good(hsm::FindKeyBySpki(to.session(), key.public_key)).private_object.handle() ==
            copy.pair.private_object.handle());
      Good(hsm::Sign(to.session(), copy.pair, hsm::DefaultScheme(algorithm), base::AsBytes("message"),
                     hsm::Consequence::kCeremonyKey));
      // Nothing of the transport is left on either side.
      CHECK(Good(hsm::TakeInventory(from.session())).sha256 == before);
      CHECK(Good(hsm::TakeInventory(to.session())).items.size() == 2);

      const hsm::KeyCopying again = hsm::CopyKey(from.session(), key, to.session(), way, Spec(algorithm, Kept(to)));
      REQUIRE_FALSE(again.copy.ok());
      CHECK(again.copy.error().rule == "KEY-COPY-01");

      Good(hsm::DestroyKeyPair(to.session(), copy.pair));
      Good(hsm::DestroyKeyPair(from.session(), key));
    }
  }
}

}  // namespace

TEST_CASE("a key goes by every way that a pair of tokens has, in both directions") {
  const auto world = NewWorld();
  End here(*world);
  for (const auto& peer : NewPeers()) {
    End there(*peer);
    CopyAndUse(here, there);
    CopyAndUse(there, here);
  }
}

TEST_CASE("a pair of tokens says which ways it has") {
  const auto world = NewWorld();
  End here(*world);
  std::vector<std::string> names;
  for (const hsm::CopyWay& way : Good(hsm::CopyWays(*here.token, *here.token))) names.push_back(way.Name());
  std::vector<std::string> expected;
  if (here.name == "softhsm") {
    expected = {"rsa-oaep-sha1, CKM_AES_KEY_WRAP_PAD to CKM_AES_KEY_WRAP_PAD",
                "ecdh-p256, CKM_AES_KEY_WRAP_PAD to CKM_AES_KEY_WRAP_PAD"};
  } else if (here.name != "p11-kit") {
    // p11-kit's protocol does not carry AES key wrap: no key can go through it.
    expected = {"rsa-oaep-sha256, CKM_AES_KEY_WRAP_KWP to CKM_AES_KEY_WRAP_KWP",
                "rsa-oaep-sha1, CKM_AES_KEY_WRAP_KWP to CKM_AES_KEY_WRAP_KWP",
                "ecdh-p256, CKM_AES_KEY_WRAP_KWP to CKM_AES_KEY_WRAP_KWP"};
  }
  CHECK(names == expected);
}

TEST_CASE("a key that was made not to leave does not leave") {
  const auto world = NewWorld();
  End here(*world);
  const auto peer = support::NewFakeWorld();
  End there(*peer);
  const std::vector<hsm::CopyWay> ways = Good(hsm::CopyWays(*here.token, *there.token));
  if (ways.empty() || here.token->quirks().seal_is_not_kept) return;
  const hsm::KeyPairSpec spec = Spec(base::KeyAlgorithm::kEcP256, hsm::Extractable::kNo);
  hsm::KeyGeneration made = hsm::GenerateKeyPair(here.session(), spec);
  const hsm::KeyPair key = Good(std::move(made.key)).pair;
  const hsm::KeyCopying copying = hsm::CopyKey(here.session(), key, there.session(), ways.back(), spec);
  REQUIRE_FALSE(copying.copy.ok());
  CHECK(copying.copy.error().message.find("CKR_KEY_UNEXTRACTABLE") != std::string::npos);
  CHECK(Good(hsm::TakeInventory(there.session())).items.empty());
  Good(hsm::ProveSealed(here.session(), key));
}

TEST_CASE("a copy that must stay is not left on a module that lets every key out") {
  const auto world = NewWorld();
  End here(*world);
  if (!here.token->quirks().seal_is_not_kept) return;
  const auto peer = support::NewFakeWorld();
  End there(*peer);
  hsm::KeyGeneration made =
      hsm::GenerateKeyPair(there.session(), Spec(base::KeyAlgorithm::kEcP256, hsm::Extractable::kYes));
  const hsm::KeyPair key = Good(std::move(made.key)).pair;
  const std::vector<hsm::CopyWay> ways = Good(hsm::CopyWays(*there.token, *here.token));
  REQUIRE_FALSE(ways.empty());
  const hsm::KeyCopying copying = hsm::CopyKey(there.session(), key, here.session(), ways.back(),
                                               Spec(base::KeyAlgorithm::kEcP256, hsm::Extractable::kNo));
  REQUIRE_FALSE(copying.copy.ok());
  CHECK(copying.copy.error().rule == "KEY-COPY-04");
  CHECK(copying.left_behind.empty());
  CHECK(Good(hsm::TakeInventory(here.session())).items.empty());
}

TEST_CASE("a sealed key is tried, and what only says that it is sealed is found out") {
  const auto world = NewWorld();
  End here(*world);
  if (Good(hsm::KwpMechanism(*here.token, CKF_WRAP)) == 0) {
    hsm::KeyGeneration stays =
        hsm::GenerateKeyPair(here.session(), Spec(base::KeyAlgorithm::kEcP256, hsm::Extractable::kNo));
    CHECK(Bad(hsm::ProveSealed(here.session(), Good(std::move(stays.key)).pair)).rule == "KEY-SEAL-02");
    return;
  }
  hsm::KeyGeneration made =
      hsm::GenerateKeyPair(here.session(), Spec(base::KeyAlgorithm::kEcP256, hsm::Extractable::kYes));
  const hsm::KeyPair key = Good(std::move(made.key)).pair;
  CHECK(Bad(hsm::ProveSealed(here.session(), key)).rule == "KEY-SEAL-01");
  hsm::Template seal;
  seal.Bool(CKA_EXTRACTABLE, false);
  Good(here.session().SetAttributes(key.private_object, seal));
  const base::Result<void> sealed = hsm::ProveSealed(here.session(), key);
  if (here.token->quirks().seal_is_not_kept) {
    CHECK(Bad(sealed).rule == "KEY-SEAL-01");
  } else {
    Good(sealed);
  }
  CHECK(Good(hsm::TakeInventory(here.session())).items.size() == 2);
}

}  // namespace contract
