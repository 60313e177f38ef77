#include "hsm/inventory.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "hsm/keygen.h"
#include "hsm/lookup.h"
#include "tests/support/listening_observer.h"
#include "tests/support/results.h"
#include "tests/support/softhsm.h"

namespace {

using support::Good;
using support::SoftHsm;

TEST_CASE("an inventory does not depend on handles, and not on when it is taken") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  std::string digest;
  {
    auto login = SoftHsm::Login(token);
    Good(hsm::GenerateKeyPair(login.session(), {.label = "b", .id = {1}}).key);
    Good(hsm::GenerateKeyPair(login.session(), {.label = "a", .id = {2}}).key);
    const auto inventory = Good(hsm::TakeInventory(login.session()));
    CHECK(inventory.items.size() == 4);
    digest = inventory.sha256;
    CHECK(Good(hsm::TakeInventory(login.session())).sha256 == digest);
  }
  Good(module->Reinitialise());
  const auto again = Good(hsm::Token::Locate(module, "root", token->info().serial));
  auto login = SoftHsm::Login(again);
  CHECK(Good(hsm::TakeInventory(login.session())).sha256 == digest);
}

TEST_CASE("without a login only public objects are seen") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  {
    auto login = SoftHsm::Login(token);
    Good(hsm::GenerateKeyPair(login.session(), {.label = "k", .id = {1}}).key);
  }
  auto session = Good(hsm::Session::Open(token, hsm::Session::Access::kReadOnly));
  const auto inventory = Good(hsm::TakeInventory(session));
  REQUIRE(inventory.items.size() == 1);
  CHECK(inventory.items[0].object.Name() == "public key \"k\" (id 01)");
  CHECK(inventory.items[0].spki_sha256.size() == 64);
}

TEST_CASE("the difference of two inventories names what a key pair, a change and a destruction did") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  auto login = SoftHsm::Login(token);
  const auto empty = Good(hsm::TakeInventory(login.session()));
  const auto made =
      Good(hsm::GenerateKeyPair(
               login.session(),
               {.label = "k", .id = {1}, .extractable = hsm::Extractable::kYes, .modifiable = hsm::Modifiable::kYes})
               .key);
  const auto with_key = Good(hsm::TakeInventory(login.session()));
  const auto born = hsm::Diff(empty, with_key);
  REQUIRE(born.appeared.size() == 2);
  CHECK(born.appeared[0].object.Name() == "private key \"k\" (id 01)");
  CHECK(born.appeared[1].object.Name() == "public key \"k\" (id 01)");
  CHECK(born.vanished.empty());
  CHECK(born.changed.empty());

  hsm::Template seal;
  seal.Bool(CKA_EXTRACTABLE, false);
  Good(login.session().SetAttributes(made.pair.private_object, seal));
  const auto sealed = Good(hsm::TakeInventory(login.session()));
  const auto change = hsm::Diff(with_key, sealed);
  CHECK(change.appeared.empty());
  CHECK(change.vanished.empty());
  REQUIRE(change.changed.size() == 1);
  CHECK(change.changed[0].differences == hsm::Description{{"CKA_EXTRACTABLE", "true -> false"}});

  Good(hsm::DestroyKeyPair(login.session(), made.pair));
  const auto gone = hsm::Diff(sealed, Good(hsm::TakeInventory(login.session())));
  CHECK(gone.vanished.size() == 2);
  CHECK(gone.appeared.empty());
  CHECK(hsm::Diff(empty, Good(hsm::TakeInventory(login.session()))).empty());
}

// SoftHSM rewrites object files in place and never syncs: what a killed
// C_GenerateKeyPair leaves is made here by cutting the files.
TEST_CASE("objects whose files were cut at any place never end the pass") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  {
    auto login = SoftHsm::Login(token);
    Good(hsm::GenerateKeyPair(login.session(), {.label = "k", .id = {1}}).key);
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(soft.tokens())) {
    if (entry.path().extension() == ".object" && entry.path().filename() != "token.object")
      files.push_back(entry.path());
  }
  REQUIRE(files.size() == 2);
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::string whole((std::istreambuf_iterator<char>(in)), {});
    REQUIRE(whole.size() > 100);
    for (std::size_t size = 0; size < whole.size(); size += 37) {
      CAPTURE(size);
      std::ofstream(file, std::ios::binary | std::ios::trunc) << whole.substr(0, size);
      Good(module->Reinitialise());
      const auto again = Good(hsm::Token::Locate(module, "root", token->info().serial));
      auto login = SoftHsm::Login(again);
      const auto inventory = Good(hsm::TakeInventory(login.session()));
      CHECK(inventory.items.size() <= 2);
      CHECK(inventory.items.size() >= 1);
      CHECK(inventory.sha256.size() == 64);
    }
    std::ofstream(file, std::ios::binary | std::ios::trunc) << whole;
  }
}

}  // namespace
