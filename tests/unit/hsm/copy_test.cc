// Keys that go from one token to another, and tokens that do their part of it in a peculiar way.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "hsm/describe.h"
#include "hsm/inventory.h"
#include "hsm/lookup.h"
#include "hsm/sealed_transport.h"
#include "hsm/wrap.h"
#include "tests/support/listening_observer.h"
#include "tests/support/results.h"
#include "tests/unit/hsm/fake_world.h"

namespace {

using support::Bad;
using support::Good;

hsm::KeyPairSpec Spec(base::KeyAlgorithm algorithm = base::KeyAlgorithm::kEcP256) {
  return {.algorithm = algorithm,
          .label = "root",
          .id = {1},
          .extractable = hsm::Extractable::kYes,
          .modifiable = hsm::Modifiable::kYes};
}

struct End {
  std::shared_ptr<support::ListeningObserver> observer = std::make_shared<support::ListeningObserver>();
  FakeWorld world{observer};
  std::optional<hsm::LoginScope> login;

  hsm::Session& session() {
    if (!login) login.emplace(world.Login());
    return login->session();
  }
  std::size_t objects() { return Good(hsm::TakeInventory(session())).items.size(); }
};

// `before_it_comes` runs when the keys of the transport are made.
hsm::KeyCopying Copy(
    End& from, End& to, hsm::Transport transport, const hsm::KeyPairSpec& spec,
    const std::function<void()>& before_it_comes = [] {}) {
  const hsm::KeyPair key = Good(hsm::GenerateKeyPair(from.session(), Spec(spec.algorithm)).key).pair;
  const auto ways = Good(hsm::CopyWays(from.session().token(), to.session().token()));
  const auto way = std::ranges::find(ways, transport, &hsm::CopyWay::transport);
  REQUIRE(way != ways.end());
  return hsm::CopyKey(from.session(), key, to.session(), *way, spec,
                      {.rsa = base::KeyAlgorithm::kRsa2048,
                       .compare = [&](const base::PublicKey&, const base::PublicKey&) -> base::Result<void> {
                         before_it_comes();
                         return {};
                       }});
}

}  // namespace

TEST_CASE("a modulus that a token shows with a leading zero is the same key, as a transport key and as a copy") {
  End from;
  End to;
  from.world.habits().modulus_with_leading_zero = true;
  to.world.habits().modulus_with_leading_zero = true;
  Good(Copy(from, to, hsm::Transport::kOaepSha256, Spec(base::KeyAlgorithm::kRsa2048)).copy);
  CHECK(from.objects() == 2);
}

TEST_CASE("a transport key that a token does not keep as it was told is destroyed before anybody hears of it") {
  for (const bool sealed : {false, true}) {
    End from;
    End to;
    from.session();
    from.world.habits().lies[CKA_WRAP] = {0};
    base::Error error;
    if (sealed) {
      const hsm::KeyPair transport = Good(hsm::GenerateKeyPair(to.session(), {.algorithm = base::KeyAlgorithm::kRsa2048,
                                                                              .label = "transport",
                                                                              .id = {9},
                                                                              .usage = hsm::kUnwrappingUsage})
                                              .key)
                                         .pair;
      const hsm::KeyPair key = Good(hsm::GenerateKeyPair(from.session(), Spec()).key).pair;
      error = Bad(hsm::SealKey(from.session(), key.private_object, transport.public_key, hsm::Transport::kOaepSha256));
    } else {
      error = Bad(Copy(from, to, hsm::Transport::kOaepSha256, Spec()).copy);
    }
    CHECK(error.rule == "KEY-ATTR-07");
    CHECK(error.message.find("public CKA_WRAP is false, true was asked") != std::string::npos);
    CHECK(from.observer->troubles.empty());
    CHECK(from.objects() == 2);  // the key that was to go
  }
}

TEST_CASE("KEY-TRANSPORT-01: a transport key that is another on the source is not wrapped under") {
  End from;
  End to;
  from.session();
  from.world.habits().lies[CKA_PUBLIC_EXPONENT] = {0x03};
  const base::Error error = Bad(Copy(from, to, hsm::Transport::kOaepSha256, Spec()).copy);
  CHECK(error.rule == "KEY-TRANSPORT-01");
  CHECK(error.hint == "somebody put another key in its place: stop, and find out who");
  CHECK(std::ranges::none_of(from.observer->before,
                             [](const auto& call) { return call.function == hsm::Function::kWrapKey; }));
}

TEST_CASE("a token that unwraps and does not wrap is told as one by which nothing was tried") {
  End from;
  End to;
  to.world.slot().fewer_flags[CKM_AES_KEY_WRAP_KWP] = CKF_HW | CKF_UNWRAP;
  hsm::KeyPairSpec spec = Spec();
  spec.extractable = hsm::Extractable::kNo;
  const hsm::KeyCopy copy = Good(Copy(from, to, hsm::Transport::kEcdh, spec).copy);
  CHECK(copy.trials == std::vector<std::string>{
                           "its value cannot be read",
                           "wrapping it was not tried: the token does not list CKM_AES_KEY_WRAP_KWP with CKF_WRAP",
                           "it signs as the key"});
  const base::Error untried = Bad(hsm::ProveSealed(to.session(), copy.pair));
  CHECK(untried.rule == "KEY-SEAL-02");
  CHECK(untried.message.ends_with("cannot be tried: the token does not list CKM_AES_KEY_WRAP_KWP with CKF_WRAP"));
}

TEST_CASE("KEY-ATTR-11: a copy that shows what is no key, or two keys, is not this key") {
  End from;
  End to;
  const hsm::KeyCopying copying = Copy(from, to, hsm::Transport::kOaepSha256, Spec(), [&to] {
    to.world.habits().lies_of_private_keys[CKA_PUBLIC_KEY_INFO] = {0x30, 0x00};
  });
  REQUIRE_FALSE(copying.copy.ok());
  CHECK(copying.copy.error().rule == "KEY-ATTR-11");
  CHECK(copying.left_behind.empty());
  CHECK(to.objects() == 0);
}

TEST_CASE("an Ed25519 key is given no CKA_NSS_DB, which is of EC keys") {
  for (const auto algorithm : {base::KeyAlgorithm::kEd25519, base::KeyAlgorithm::kEcP256}) {
    End from;
    End to;
    to.world.device->manufacturer = "Mozilla Foundation";
    to.world.device->description = "NSS Internal Crypto Services";
    to.world.habits().unwrap_needs_nss_db = true;
    Good(Copy(from, to, hsm::Transport::kOaepSha256, Spec(algorithm)).copy);
    const bool stated = std::ranges::any_of(to.observer->before, [](const hsm::ConsequentialCall& call) {
      return std::ranges::find(call.attributes, hsm::AttributeName(CKA_NSS_DB), &hsm::NamedValue::name) !=
             call.attributes.end();
    });
    CHECK(stated == (algorithm == base::KeyAlgorithm::kEcP256));
  }
}
