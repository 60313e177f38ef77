// What counts as a proof that a sealed key stays.
#include <doctest/doctest.h>

#include <memory>
#include <utility>

#include "hsm/intercepting_cryptoki.h"
#include "hsm/wrap.h"
#include "tests/support/results.h"
#include "tests/unit/hsm/fake_world.h"

namespace {

using support::Bad;
using support::Good;

class Answering final : public hsm::InterceptingCryptoki {
 public:
  Answering(std::shared_ptr<support::FakeDevice> device, CK_RV answer)
      : InterceptingCryptoki(std::make_unique<support::FakeCryptoki>(std::move(device))), answer_(answer) {}

 protected:
  CK_RV Around(hsm::Function function, const hsm::InnerCall& call) override {
    return function == hsm::Function::kWrapKey ? answer_ : call();
  }

 private:
  CK_RV answer_;
};

hsm::Result<void> Prove(CK_RV answer) {
  FakeWorld world;
  world.Load(std::make_unique<Answering>(world.device, answer));
  hsm::LoginScope login = world.Login();
  const hsm::KeyPair pair = Good(hsm::GenerateKeyPair(login.session(), {.label = "root", .id = {1}}).key).pair;
  return hsm::ProveSealed(login.session(), pair);
}

}  // namespace

TEST_CASE("KEY-SEAL-02: a key is sealed when the token says that it may not leave, and by no other answer") {
  Good(Prove(CKR_KEY_UNEXTRACTABLE));
  for (const CK_RV rv : {CKR_KEY_NOT_WRAPPABLE, CKR_DEVICE_ERROR, CKR_FUNCTION_FAILED}) {
    CAPTURE(rv);
    const base::Error error = Bad(Prove(rv));
    CHECK(error.rule == "KEY-SEAL-02");
    CHECK(error.rv == rv);
  }
}
