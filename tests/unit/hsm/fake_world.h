// A fake device with one token, loaded through hsm::Module, for tests of one habit.
#ifndef TESTS_UNIT_HSM_FAKE_WORLD_H_
#define TESTS_UNIT_HSM_FAKE_WORLD_H_

#include <memory>

#include "hsm/keygen.h"
#include "hsm/login.h"
#include "hsm/module.h"
#include "hsm/token.h"
#include "tests/support/fake_token.h"
#include "tests/support/results.h"

struct FakeWorld {
  explicit FakeWorld(std::shared_ptr<hsm::CallObserver> observer = nullptr)
      : device(std::make_shared<support::FakeDevice>()), observer_(std::move(observer)) {
    device->AddToken("0001", "root", "12345678", "1234567");
  }

  support::FakeSlot& slot() { return device->slots[0]; }
  support::FakeHabits& habits() { return slot().habits; }

  // Loads the module afresh, as a new process would, around `api` or the plain fake.
  void Load(std::unique_ptr<hsm::CryptokiApi> api = nullptr) {
    if (!api) api = std::make_unique<support::FakeCryptoki>(device);
    module = support::Good(
        hsm::Module::Wrap(std::move(api), {.path = "fake.so", .environment = {}, .init_args = {}}, observer_));
    token = support::Good(hsm::Token::Locate(module, "root", "0001"));
  }
  hsm::LoginScope Login() {
    if (!token) Load();
    return support::Good(
        hsm::LoginScope::Open(token, hsm::User::kUser, base::SecretBytes::CopyOf(base::AsBytes("1234567"))));
  }

  std::shared_ptr<support::FakeDevice> device;
  std::shared_ptr<hsm::CallObserver> observer_;
  std::shared_ptr<hsm::Module> module;
  std::shared_ptr<hsm::Token> token;
};

#endif  // TESTS_UNIT_HSM_FAKE_WORLD_H_
