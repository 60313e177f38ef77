// Key agreement on tokens of every make, against libcrypto.
#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

#include "hsm/agree.h"
#include "hsm/inventory.h"
#include "hsm/keygen.h"
#include "tests/contract/world_under_test.h"
#include "tests/support/results.h"

namespace contract {
namespace {

using support::Bad;
using support::Good;

struct Deleter {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
};

base::Bytes Spki(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  base::Bytes spki(der, der + size);
  OPENSSL_free(der);
  return spki;
}

base::Bytes AgreeInSoftware(EVP_PKEY* key, const base::PublicKey& peer) {
  const unsigned char* at = peer.spki().data();
  const std::unique_ptr<EVP_PKEY, Deleter> other(d2i_PUBKEY(nullptr, &at, static_cast<long>(peer.spki().size())));
  const std::unique_ptr<EVP_PKEY_CTX, Deleter> context(EVP_PKEY_CTX_new(key, nullptr));
  base::Bytes x(32);
  std::size_t size = x.size();
  REQUIRE(EVP_PKEY_derive_init(context.get()) == 1);
  REQUIRE(EVP_PKEY_derive_set_peer(context.get(), other.get()) == 1);
  REQUIRE(EVP_PKEY_derive(context.get(), x.data(), &size) == 1);
  return x;
}

}  // namespace

TEST_CASE("a key on a token agrees with a key in software on one x coordinate, and leaves nothing") {
  const auto world = NewWorld();
  const auto token = world->FindToken(world->LoadModule());
  hsm::LoginScope login = world->Login(token);
  hsm::KeyGeneration made = hsm::GenerateKeyPair(
      login.session(),
      {.algorithm = base::KeyAlgorithm::kEcP256, .label = "open", .id = {1}, .usage = hsm::kDerivingUsage});
  const hsm::KeyPair key = Good(std::move(made.key)).pair;
  if (world->name() == "p11-kit") {
    // p11-kit's protocol does not carry the parameters of CKM_ECDH1_DERIVE.
    CHECK(Bad(hsm::AgreeRaw(login.session(), key.private_object, key.public_key)).rv == CKR_MECHANISM_INVALID);
    return;
  }
  const std::string before = Good(hsm::TakeInventory(login.session())).sha256;
  for (int i = 0; i < 8; ++i) {
    const std::unique_ptr<EVP_PKEY, Deleter> other(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    const base::PublicKey peer = Good(base::PublicKey::FromSpki(Spki(other.get())));
    const base::SecretBytes x = Good(hsm::AgreeRaw(login.session(), key.private_object, peer));
    CHECK(base::ToBytes(x.view()) == AgreeInSoftware(other.get(), key.public_key));
  }
  CHECK(Good(hsm::TakeInventory(login.session())).sha256 == before);

  const std::unique_ptr<EVP_PKEY, Deleter> larger(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384"));
  const base::Error error =
      Bad(hsm::AgreeRaw(login.session(), key.private_object, Good(base::PublicKey::FromSpki(Spki(larger.get())))));
  CHECK(error.message == "the other key of an agreement is EC P-384, expected EC P-256");
}

}  // namespace contract
