// Signatures whose two calls do not go as planned.
#include "hsm/sign.h"

#include <doctest/doctest.h>

#include <memory>
#include <utility>

#include "hsm/agree.h"
#include "hsm/intercepting_cryptoki.h"
#include "hsm/lookup.h"
#include "tests/support/listening_observer.h"
#include "tests/support/results.h"
#include "tests/unit/hsm/fake_world.h"

namespace {

using support::Bad;
using support::Good;

// Returns an error from the next C_SignInit, or finds the next buffers of C_Sign too small.
class Moody final : public hsm::InterceptingCryptoki {
 public:
  struct Moods {
    CK_RV sign_init = CKR_OK;
    int too_small = 0;
  };
  Moody(std::shared_ptr<support::FakeDevice> device, std::shared_ptr<Moods> moods)
      : InterceptingCryptoki(std::make_unique<support::FakeCryptoki>(std::move(device))), moods_(std::move(moods)) {}

  CK_RV SignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) override {
    const CK_RV rv = std::exchange(moods_->sign_init, CKR_OK);
    return rv != CKR_OK ? rv : inner().SignInit(session, mechanism, key);
  }
  CK_RV Sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG data_size, CK_BYTE* signature,
             CK_ULONG* signature_size) override {
    if (moods_->too_small == 0) return inner().Sign(session, data, data_size, signature, signature_size);
    --moods_->too_small;
    *signature_size = 8192;
    return CKR_BUFFER_TOO_SMALL;
  }

 protected:
  CK_RV Around(hsm::Function, const hsm::InnerCall& call) override { return call(); }

 private:
  std::shared_ptr<Moods> moods_;
};

struct Signing {
  Signing() {
    world.Load(std::make_unique<Moody>(world.device, moods));
    login.emplace(world.Login());
    pair = Good(hsm::GenerateKeyPair(login->session(), {.label = "root", .id = {1}}).key).pair;
    observer->after.clear();
  }
  base::Result<base::Bytes> Sign(hsm::Consequence consequence, const base::SecretBytes* pin = nullptr) {
    return hsm::Sign(login->session(), *pair, base::SignatureScheme::kEcdsa, base::AsBytes("text"), consequence, pin);
  }
  // The key wants its PIN before each signature from now on, as a PIV card's does.
  void AskEachTime() {
    for (auto& [number, object] : world.slot().objects) {
      if (object.attributes.contains(CKA_ALWAYS_AUTHENTICATE)) object.attributes[CKA_ALWAYS_AUTHENTICATE] = {1};
    }
    pair = Good(hsm::FindKeyBySpki(login->session(), pair->public_key));
  }

  std::shared_ptr<support::ListeningObserver> observer = std::make_shared<support::ListeningObserver>();
  std::shared_ptr<Moody::Moods> moods = std::make_shared<Moody::Moods>();
  FakeWorld world{observer};
  std::optional<hsm::LoginScope> login;
  std::optional<hsm::KeyPair> pair;
};

base::SecretBytes Pin(std::string_view text) { return base::SecretBytes::CopyOf(base::AsBytes(text)); }

}  // namespace

TEST_CASE("a C_SignInit that fails is recorded as what it is, and not as a C_Sign") {
  Signing signing;
  signing.moods->sign_init = CKR_DEVICE_ERROR;
  const base::Error error = Bad(signing.Sign(hsm::Consequence::kCeremonyKey));
  CHECK(error.call == "C_SignInit");
  REQUIRE(signing.observer->after.size() == 1);
  CHECK(signing.observer->after[0].rv == CKR_DEVICE_ERROR);
  CHECK(signing.observer->after[0].problem == "C_SignInit returned it, and C_Sign was not called");
  Good(signing.Sign(hsm::Consequence::kCeremonyKey));
  CHECK(signing.observer->after[1].problem.empty());
}

TEST_CASE("a signature that does not fit leaves no operation behind: the session signs again") {
  Signing signing;
  signing.moods->too_small = 1;
  CHECK(Bad(signing.Sign(hsm::Consequence::kLogKey)).rv == CKR_BUFFER_TOO_SMALL);
  Good(signing.Sign(hsm::Consequence::kLogKey));
}

TEST_CASE("KEY-SIGN-02: a key that wants its PIN before each signature signs with it, and is refused without") {
  Signing signing;
  signing.AskEachTime();
  const base::Error refused = Bad(signing.Sign(hsm::Consequence::kCeremonyKey));
  CHECK(refused.rule == "KEY-SIGN-02");
  CHECK(refused.rv == CKR_USER_NOT_LOGGED_IN);
  const base::SecretBytes pin = Pin("1234567");
  Good(signing.Sign(hsm::Consequence::kLogKey, &pin));
  Good(signing.Sign(hsm::Consequence::kLogKey, &pin));
}

TEST_CASE("a PIN that a key does not want is not sent again") {
  Signing signing;
  const base::SecretBytes wrong = Pin("7654321");
  Good(signing.Sign(hsm::Consequence::kLogKey, &wrong));
  CHECK(signing.world.slot().user_failures == 0);
}

TEST_CASE("a wrong PIN before a signature is told as such, and is tried once") {
  Signing signing;
  signing.AskEachTime();
  const base::SecretBytes wrong = Pin("7654321");
  const base::Error error = Bad(signing.Sign(hsm::Consequence::kLogKey, &wrong));
  CHECK(error.call == "C_Login");
  CHECK(error.rv == CKR_PIN_INCORRECT);
  CHECK(signing.world.slot().user_failures == 1);
}

TEST_CASE("AGREE-03: a key that wants its PIN before each use does not agree") {
  Signing signing;
  hsm::KeyPairSpec spec{.label = "open", .id = {2}};
  spec.usage = hsm::kDerivingUsage;
  const hsm::KeyPair open = Good(hsm::GenerateKeyPair(signing.login->session(), spec).key).pair;
  Good(hsm::AgreeRaw(signing.login->session(), open.private_object, signing.pair->public_key));
  signing.AskEachTime();
  CHECK(Bad(hsm::AgreeRaw(signing.login->session(), open.private_object, signing.pair->public_key)).rule == "AGREE-03");
}

TEST_CASE("a mechanism that a token lists, and does not sign by, is not taken") {
  auto observer = std::make_shared<support::ListeningObserver>();
  FakeWorld world(observer);
  hsm::LoginScope login = world.Login();
  const hsm::KeyPair pair =
      Good(
          hsm::GenerateKeyPair(login.session(), {.algorithm = base::KeyAlgorithm::kRsa2048, .label = "root", .id = {1}})
              .key)
          .pair;
  const auto sign = [&] {
    return hsm::Sign(login.session(), pair, base::SignatureScheme::kRsaPkcs1Sha256, base::AsBytes("text"),
                     hsm::Consequence::kCeremonyKey);
  };
  Good(sign());
  CHECK(observer->before.back().mechanism == "CKM_RSA_PKCS");
  world.slot().fewer_flags[CKM_RSA_PKCS] = CKF_HW | CKF_VERIFY;
  Good(sign());
  CHECK(observer->before.back().mechanism == "CKM_SHA256_RSA_PKCS");
  world.slot().fewer_flags[CKM_SHA256_RSA_PKCS] = CKF_HW | CKF_VERIFY;
  CHECK(Bad(sign()).code == base::ErrorCode::kUnsupported);
}
