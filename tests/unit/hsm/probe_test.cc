// A probe of a token that goes away is no report on it.
#include "hsm/probe.h"

#include <doctest/doctest.h>

#include <memory>

#include "hsm/describe.h"
#include "hsm/intercepting_cryptoki.h"
#include "tests/support/results.h"
#include "tests/unit/hsm/fake_world.h"

namespace {

using support::Bad;
using support::Good;

// Answers with `answer` from the first signature on.
class Dying final : public hsm::InterceptingCryptoki {
 public:
  Dying(std::shared_ptr<support::FakeDevice> device, CK_RV answer)
      : InterceptingCryptoki(std::make_unique<support::FakeCryptoki>(std::move(device))), answer_(answer) {}

 protected:
  CK_RV Around(hsm::Function function, const hsm::InnerCall& call) override {
    dead_ = dead_ || function == hsm::Function::kSignInit;
    return dead_ && answer_ != CKR_OK ? answer_ : call();
  }

 private:
  CK_RV answer_;
  bool dead_ = false;
};

base::Result<hsm::Probe> Probe(CK_RV answer) {
  FakeWorld world;
  world.Load(std::make_unique<Dying>(world.device, answer));
  hsm::LoginScope login = world.Login();
  return hsm::ProbeToken(login.session(), [] { return false; });
}

}  // namespace

TEST_CASE("a probe ends with what the token said when it went, and claims nothing of what was not tried") {
  for (const CK_RV rv : {CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT, CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED,
                         CKR_TOKEN_NOT_RECOGNIZED, CKR_SLOT_ID_INVALID}) {
    CAPTURE(hsm::RvName(rv));
    CHECK(Bad(Probe(rv)).rv == rv);
  }
  CHECK(Good(Probe(CKR_OK)).findings.empty());
}
