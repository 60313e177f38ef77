#include "hsm/inventory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>

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

// What SoftHSM has on disk for a key pair, by the class of each object.
struct KeyFiles {
  std::filesystem::path file;
  std::string whole;
};

std::vector<KeyFiles> ObjectFiles(const SoftHsm& soft) {
  std::vector<KeyFiles> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(soft.tokens())) {
    if (entry.path().extension() != ".object" || entry.path().filename() == "token.object") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files.push_back({entry.path(), std::string((std::istreambuf_iterator<char>(in)), {})});
  }
  return files;
}

void Rewrite(const std::filesystem::path& file, std::string_view bytes) {
  std::filesystem::remove(file);  // a new file is written faster than one that is cut
  std::ofstream(file, std::ios::binary) << bytes;
}

// SoftHSM rewrites object files in place and never syncs: what a killed
// C_GenerateKeyPair leaves is made here by cutting the files.
TEST_CASE(
    "an object whose file was cut at any length is listed, named and removed, or the token hides it; all others "
    "stand") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  std::set<std::string> whole;
  {
    auto login = SoftHsm::Login(token);
    Good(hsm::GenerateKeyPair(login.session(), {.label = "k", .id = {1}}).key);
    for (const auto& item : Good(hsm::TakeInventory(login.session())).items) whole.insert(item.line);
  }
  const std::vector<KeyFiles> files = ObjectFiles(soft);
  REQUIRE(files.size() == 2);
  std::size_t hidden = 0;
  std::size_t unreadable = 0;
  std::size_t readable = 0;
  for (const KeyFiles& cut : files) {
    const std::filesystem::path lock = std::filesystem::path(cut.file).replace_extension(".lock");
    REQUIRE(cut.whole.size() > 100);
    for (std::size_t size = 0; size < cut.whole.size(); ++size) {
      CAPTURE(size);
      Rewrite(cut.file, std::string_view(cut.whole).substr(0, size));
      std::ofstream(lock, std::ios::app).flush();
      Good(module->Reinitialise());
      const auto again = Good(hsm::Token::Locate(module, "root", token->info().serial));
      auto login = SoftHsm::Login(again);
      const auto inventory = Good(hsm::TakeInventory(login.session()));
      // One object is always as it was: that whose file was left alone.
      const auto torn = std::ranges::find_if(
          inventory.items, [&](const hsm::InventoryItem& item) { return !whole.contains(item.line); });
      REQUIRE(inventory.items.size() >= 1);
      REQUIRE(inventory.items.size() <= 2);
      if (inventory.items.size() == 1) {
        ++hidden;
        CHECK(torn == inventory.items.end());
      } else if (torn != inventory.items.end()) {
        (torn->problem.empty() ? readable : unreadable) += 1;
        if (!torn->problem.empty()) {
          CHECK(hsm::ItemName(*torn) == "object that cannot be read (CKR_ATTRIBUTE_VALUE_INVALID)");
          CHECK(torn->line == "problem=CKR_ATTRIBUTE_VALUE_INVALID");
        }
        Good(login.session().Destroy(torn->object));
        CHECK_FALSE(std::filesystem::exists(cut.file));
        CHECK(Good(hsm::TakeInventory(login.session())).items.size() == 1);
      }
    }
    Rewrite(cut.file, cut.whole);
    std::ofstream(lock, std::ios::app).flush();
  }
  // Below the first attribute there is no class, and SoftHSM refuses to read on.
  CHECK(unreadable == 2 * 15);
  CHECK(readable > 100);
  CHECK(hidden > 100);
}

TEST_CASE("SoftHSM says that it failed to remove what it has removed, when a lock file is missing") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  {
    auto login = SoftHsm::Login(token);
    Good(hsm::GenerateKeyPair(login.session(), {.label = "k", .id = {1}}).key);
  }
  for (const KeyFiles& file : ObjectFiles(soft)) {
    Rewrite(file.file, std::string_view(file.whole).substr(0, 5));
    std::filesystem::remove(std::filesystem::path(file.file).replace_extension(".lock"));
  }
  Good(module->Reinitialise());
  auto login = SoftHsm::Login(Good(hsm::Token::Locate(module, "root", token->info().serial)));
  const auto inventory = Good(hsm::TakeInventory(login.session()));
  REQUIRE(inventory.items.size() == 2);
  CHECK(inventory.items[0].line == inventory.items[1].line);
  const auto error = support::Bad(login.session().Destroy(inventory.items[0].object));
  CHECK(error.rv == CKR_FUNCTION_FAILED);
  CHECK(error.message == "destroying object without class without label (no id) on token \"root\" (serial " +
                             token->info().serial + "): C_DestroyObject returned CKR_FUNCTION_FAILED");
  CHECK(Good(hsm::TakeInventory(login.session())).items.size() == 1);
  CHECK(ObjectFiles(soft).size() == 1);
}

}  // namespace
