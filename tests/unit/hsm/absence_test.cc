// A key that was destroyed and is not gone.
#include "hsm/absence.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "hsm/intercepting_cryptoki.h"
#include "hsm/lookup.h"
#include "tests/support/objects.h"
#include "tests/support/results.h"
#include "tests/unit/hsm/fake_world.h"

namespace {

using support::Bad;
using support::Good;

// A module that says it destroys an object, and shows it again once it is initialised anew.
class Revenant final : public hsm::InterceptingCryptoki {
 public:
  Revenant(std::shared_ptr<support::FakeDevice> device, bool comes_back)
      : InterceptingCryptoki(std::make_unique<support::FakeCryptoki>(std::move(device))), comes_back_(comes_back) {}

  CK_RV DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) override {
    if (!comes_back_) return inner().DestroyObject(session, object);
    hidden_.push_back(object);
    return CKR_OK;
  }
  CK_RV GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                          CK_ULONG count) override {
    if (IsHidden(object)) return CKR_OBJECT_HANDLE_INVALID;
    return inner().GetAttributeValue(session, object, attributes, count);
  }
  CK_RV FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG capacity, CK_ULONG* count) override {
    const CK_RV rv = inner().FindObjects(session, objects, capacity, count);
    if (rv == CKR_OK) {
      const auto shown = std::remove_if(objects, objects + *count, [&](CK_OBJECT_HANDLE o) { return IsHidden(o); });
      *count = static_cast<CK_ULONG>(shown - objects);
    }
    return rv;
  }
  CK_RV Finalize() override {
    hidden_.clear();
    return inner().Finalize();
  }

 protected:
  CK_RV Around(hsm::Function, const hsm::InnerCall& call) override { return call(); }

 private:
  bool IsHidden(CK_OBJECT_HANDLE object) const {
    return std::find(hidden_.begin(), hidden_.end(), object) != hidden_.end();
  }

  bool comes_back_;
  std::vector<CK_OBJECT_HANDLE> hidden_;
};

hsm::KeyPair Make(hsm::Session& session) {
  hsm::KeyGeneration made = hsm::GenerateKeyPair(session, {.label = "root", .id = {1, 2}});
  return Good(std::move(made.key)).pair;
}

hsm::AbsentKey Known(const hsm::KeyPair& pair) { return {"root", {1, 2}, pair.public_key.SpkiSha256Hex()}; }

}  // namespace

TEST_CASE("a key that was destroyed is looked for by id, label and public key, and is not there") {
  FakeWorld world;
  hsm::LoginScope login = world.Login();
  const hsm::KeyPair pair = Make(login.session());
  const base::Error there = Bad(hsm::ProveAbsent(login.session(), {Known(pair)}));
  CHECK(there.rule == "KEY-ABSENT-01");
  CHECK(there.message.find("found by CKA_ID 0102") != std::string::npos);
  Good(hsm::DestroyKeyPair(login.session(), pair));
  const hsm::Absence absence = Good(hsm::ProveAbsent(login.session(), {Known(pair)}));
  CHECK(absence.inventory.items.empty());
  REQUIRE(absence.searches.size() == 1);
  CHECK(absence.searches[0] ==
        std::vector<std::string>{"CKA_ID 0102: no object", "CKA_LABEL \"root\" of a private key: no object",
                                 "CKA_LABEL \"root\" of a public key: no object",
                                 "the public key " + pair.public_key.SpkiSha256Hex() + " among all 0 objects: none"});
}

TEST_CASE("objects that show no public key are counted and named, for they may be any") {
  FakeWorld world;
  hsm::LoginScope login = world.Login();
  const hsm::KeyPair gone = Make(login.session());
  Good(hsm::DestroyKeyPair(login.session(), gone));
  Good(hsm::GenerateKeyPair(login.session(), {.label = "other", .id = {3}}).key);
  hsm::Template data;
  data.Number(CKA_CLASS, CKO_DATA).Bool(CKA_TOKEN, true).Bool(CKA_PRIVATE, false).Text(CKA_LABEL, "torn");
  support::MakeObject(login.session(), data);
  support::MakeObject(login.session(), data);
  world.slot().objects.rbegin()->second.read_rv = CKR_OBJECT_HANDLE_INVALID;
  hsm::AbsentKey twin = Known(gone);
  twin.label = "twin";
  const hsm::Absence absence = Good(hsm::ProveAbsent(login.session(), {Known(gone), twin}));
  CHECK(absence.unidentified == std::vector<std::string>{"private key \"other\" (id 03)",
                                                         "object that cannot be read (CKR_OBJECT_HANDLE_INVALID)"});
  REQUIRE(absence.searches.size() == 2);
  CHECK(absence.searches[0].back() ==
        "the public key " + gone.public_key.SpkiSha256Hex() +
            " among all 4 objects: none; 2 of them show no public key, and may be any: private key \"other\" (id 03), "
            "object that cannot be read (CKR_OBJECT_HANDLE_INVALID)");
  CHECK(absence.searches[1][1] == "CKA_LABEL \"twin\" of a private key: no object");
}

TEST_CASE("only an answer about the handle shows that a destroyed key does not sign") {
  class NoDevice final : public hsm::InterceptingCryptoki {
   public:
    explicit NoDevice(std::shared_ptr<support::FakeDevice> device)
        : InterceptingCryptoki(std::make_unique<support::FakeCryptoki>(std::move(device))) {}

   protected:
    CK_RV Around(hsm::Function function, const hsm::InnerCall& call) override {
      return function == hsm::Function::kSignInit ? CKR_DEVICE_ERROR : call();
    }
  };
  FakeWorld world;
  world.Load(std::make_unique<NoDevice>(world.device));
  hsm::LoginScope login = world.Login();
  const hsm::KeyPair pair = Make(login.session());
  Good(hsm::DestroyKeyPair(login.session(), pair));
  const base::Error error = Bad(hsm::TryToSignWith(login.session(), pair.private_object, base::KeyAlgorithm::kEcP256));
  CHECK(error.code == base::ErrorCode::kToken);
  CHECK(error.rv == CKR_DEVICE_ERROR);
}

TEST_CASE("a copy under another id and label is found by its public key") {
  FakeWorld world;
  hsm::LoginScope login = world.Login();
  const hsm::KeyPair pair = Make(login.session());
  hsm::AbsentKey other = Known(pair);
  other.label = "another";
  other.id = {9};
  const base::Error there = Bad(hsm::ProveAbsent(login.session(), {other}));
  CHECK(there.rule == "KEY-ABSENT-01");
  CHECK(there.message.find("found by the public key") != std::string::npos);
}

TEST_CASE("a destroyed handle does not sign, a living one would") {
  FakeWorld world;
  hsm::LoginScope login = world.Login();
  const hsm::KeyPair pair = Make(login.session());
  CHECK(Bad(hsm::TryToSignWith(login.session(), pair.private_object, base::KeyAlgorithm::kEcP256)).rule ==
        "KEY-ABSENT-02");
  FakeWorld fresh;
  hsm::LoginScope again = fresh.Login();
  const hsm::KeyPair gone = Make(again.session());
  Good(hsm::DestroyKeyPair(again.session(), gone));
  CHECK(Good(hsm::TryToSignWith(again.session(), gone.private_object, base::KeyAlgorithm::kEcP256)) ==
        "CKR_KEY_HANDLE_INVALID");
}

TEST_CASE("an object that comes back when the module is initialised anew is found") {
  for (const bool comes_back : {false, true}) {
    CAPTURE(comes_back);
    FakeWorld world;
    world.Load(std::make_unique<Revenant>(world.device, comes_back));
    base::Result<hsm::AbsentKey> known = hsm::AbsentKey{};
    {
      hsm::LoginScope login = world.Login();
      const hsm::KeyPair pair = Make(login.session());
      known = Known(pair);
      Good(login.session().Destroy(*pair.public_object));
      Good(login.session().Destroy(pair.private_object));
      Good(hsm::ProveAbsent(login.session(), {*known}));  // the module's word, before it is restarted
      Good(login.Close());
    }
    Good(world.module->Reinitialise());
    world.token = Good(hsm::Token::Locate(world.module, "root", "0001"));
    hsm::LoginScope login = world.Login();
    const auto absence = hsm::ProveAbsent(login.session(), {*known});
    CHECK(absence.ok() != comes_back);
    if (!absence.ok()) CHECK(absence.error().rule == "KEY-ABSENT-01");
  }
}
