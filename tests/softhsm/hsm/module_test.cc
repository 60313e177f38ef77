#include "hsm/module.h"

#include <doctest/doctest.h>

#include <fstream>

#include "hsm/session.h"
#include "tests/support/listening_observer.h"
#include "tests/support/results.h"
#include "tests/support/softhsm.h"

namespace {

using base::ErrorCode;
using hsm::Module;
using support::Bad;
using support::Good;
using support::SoftHsm;

TEST_CASE("a module says what it is, and how it is peculiar") {
  const SoftHsm soft;
  const auto module = soft.Load();
  CHECK(module->info().manufacturer == "SoftHSM");
  CHECK(module->info().description == "Implementation of PKCS11");
  CHECK(module->info().cryptoki_version == "2.40");
  CHECK(module->info().path == support::SoftHsmPath());
  CHECK(module->quirks().name == "softhsm-2");
  CHECK(module->initialised_by_us());
  CHECK(Good(module->FileSha256()).size() == 64);
}

TEST_CASE("a fresh token folder has one free slot and no token") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto free = Good(module->ListFreeSlots());
  REQUIRE(free.size() == 1);
  CHECK_FALSE(free[0].initialised());
  CHECK(free[0].Name() == "uninitialised token in slot 0");
}

TEST_CASE("a module that is not there, or is no module, is named with the reason") {
  const auto missing =
      Bad(Module::Load({.path = "/nonexistent/module.so", .environment = {}, .init_args = {}}, nullptr));
  CHECK(missing.code == ErrorCode::kNotFound);
  CHECK(missing.message == "there is no module at /nonexistent/module.so");

  const auto bare = Bad(Module::Load({.path = "libsofthsm2.so", .environment = {}, .init_args = {}}, nullptr));
  CHECK(bare.code == ErrorCode::kInvalidInput);

  const SoftHsm soft;
  const std::string text = soft.folder() + "/text.so";
  std::ofstream(text) << "not a shared object\n";
  const auto wrong = Bad(Module::Load({.path = text, .environment = {}, .init_args = {}}, nullptr));
  CHECK(wrong.code == ErrorCode::kUnsupported);
  CHECK(wrong.message.starts_with("module " + text + " cannot be loaded: "));

  const auto library =
      Bad(Module::Load({.path = "/lib/x86_64-linux-gnu/libm.so.6", .environment = {}, .init_args = {}}, nullptr));
  CHECK((library.code == ErrorCode::kUnsupported || library.code == ErrorCode::kNotFound));
}

TEST_CASE("a second setting of one module is refused while the first is loaded") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto error = Bad(Module::Load(soft.options(), nullptr));
  CHECK(error.code == ErrorCode::kRefused);
  CHECK(error.rule == "MODULE-INIT-01");

  // Without settings of its own a second user shares it, and does not finalise it.
  auto shared = Good(Module::Load({.path = support::SoftHsmPath(), .environment = {}, .init_args = {}}, nullptr));
  CHECK_FALSE(shared->initialised_by_us());
  CHECK(Bad(shared->Reinitialise()).code == ErrorCode::kUnsupported);
  shared.reset();
  CHECK(Good(module->ListTokens()).size() == 1);
}

TEST_CASE("reinitialising ends every session and shows the token anew") {
  const SoftHsm soft;
  auto observer = std::make_shared<support::ListeningObserver>();
  const auto module = soft.Load(observer);
  const auto token = SoftHsm::MakeToken(module, "root");
  auto session = Good(hsm::Session::Open(token, hsm::Session::Access::kReadOnly));
  CHECK(session.handle() != 0);
  Good(module->Reinitialise());
  CHECK(session.handle() == 0);
  CHECK(Bad(session.GenerateRandom(16)).rv == CKR_SESSION_HANDLE_INVALID);

  // The module gives the old handle's number to a new session, which must stay
  // open when the old object goes.
  const auto again = Good(hsm::Token::Locate(module, "root", token->info().serial));
  auto fresh = Good(hsm::Session::Open(again, hsm::Session::Access::kReadOnly));
  Good(session.Close());
  CHECK(Good(fresh.GenerateRandom(16)).size() == 16);
  CHECK(observer->troubles.empty());
}

TEST_CASE("every call is heard, with its name and return value") {
  const SoftHsm soft;
  auto observer = std::make_shared<support::ListeningObserver>();
  {
    const auto module = soft.Load(observer);
    Good(module->ListTokens());
  }
  const std::vector<std::string> expected = {"C_Initialize",  "C_GetInfo",      "C_GetSlotList", "C_GetSlotList",
                                             "C_GetSlotInfo", "C_GetTokenInfo", "C_Finalize"};
  CHECK(observer->calls == expected);
}

}  // namespace
