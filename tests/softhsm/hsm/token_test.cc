#include "hsm/token.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "hsm/inventory.h"
#include "hsm/login.h"
#include "hsm/pin.h"
#include "tests/support/listening_observer.h"
#include "tests/support/results.h"
#include "tests/support/softhsm.h"

namespace {

using base::ErrorCode;
using hsm::IfLoggedIn;
using hsm::LoginScope;
using hsm::Retire;
using hsm::Token;
using hsm::User;
using support::Bad;
using support::Good;
using support::Pin;
using support::SoftHsm;

TEST_CASE("a token is initialised, found again by label and serial, and named in every error") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto first = SoftHsm::MakeToken(module, "root");
  CHECK(first->info().label == "root");
  CHECK(first->info().serial.size() == 16);
  CHECK(Good(Token::Locate(module, "root", first->info().serial))->slot() == first->slot());

  const auto wrong = Bad(Token::Locate(module, "root", "0000000000000000"));
  CHECK(wrong.code == ErrorCode::kNotFound);
  CHECK(wrong.message ==
        "module " + support::SoftHsmPath() + " has no token with label \"root\" and serial \"0000000000000000\"");
  CHECK(wrong.hint.starts_with("it has token \"root\" (serial " + first->info().serial + ")"));

  const auto second = SoftHsm::MakeToken(module, "root");
  CHECK(second->info().serial != first->info().serial);
  CHECK(Bad(Token::Locate(module, "root", "")).code == ErrorCode::kAmbiguous);
  CHECK(Good(Token::Locate(module, "root", second->info().serial))->info().serial == second->info().serial);
  CHECK(Bad(Token::Locate(module, "", "")).code == ErrorCode::kInvalidInput);
}

TEST_CASE("a slot that shows a token in use is not wiped without being told to") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  const auto error = Bad(Token::Initialise(module, token->slot(), "other", Pin(support::kSoPin), Retire::kNo));
  CHECK(error.code == ErrorCode::kRefused);
  CHECK(error.rule == "TOKEN-INIT-01");
  CHECK(Good(Token::Locate(module, "root", token->info().serial))->info().initialised());

  const auto retired = Good(Token::Initialise(module, token->slot(), "again", Pin(support::kSoPin), Retire::kYes));
  CHECK(retired->info().label == "again");
  CHECK((retired->info().flags & CKF_USER_PIN_INITIALIZED) == 0);
}

TEST_CASE("a PIN of a wrong size, a label of a wrong size and an unknown slot are refused before the call") {
  const SoftHsm soft;
  auto observer = std::make_shared<support::ListeningObserver>();
  const auto module = soft.Load(observer);
  CHECK(Bad(Token::Initialise(module, 0, "root", Pin("123"), Retire::kNo)).rule == "TOKEN-INIT-02");
  CHECK(Bad(Token::Initialise(module, 0, "root", Pin(std::string(256, '1')), Retire::kNo)).rule == "TOKEN-INIT-02");
  CHECK(Bad(Token::Initialise(module, 0, "root", base::SecretBytes(), Retire::kNo)).rule == "TOKEN-INIT-03");
  CHECK(Bad(Token::Initialise(module, 0, "", Pin("1234"), Retire::kNo)).code == ErrorCode::kInvalidInput);
  CHECK(Bad(Token::Initialise(module, 0, std::string(33, 'x'), Pin("1234"), Retire::kNo)).code ==
        ErrorCode::kInvalidInput);
  CHECK(Bad(Token::Initialise(module, 77, "root", Pin("1234"), Retire::kNo)).code == ErrorCode::kNotFound);
  CHECK(observer->before.empty());
}

TEST_CASE("initialising, and both PINs, are consequential calls that never show a PIN") {
  const SoftHsm soft;
  auto observer = std::make_shared<support::ListeningObserver>();
  const auto module = soft.Load(observer);
  const auto token = SoftHsm::MakeToken(module, "root");
  {
    LoginScope login = SoftHsm::Login(token);
    Good(hsm::SetPin(login.session(), Pin(support::kUserPin), Pin("76543210")));
  }
  Good(LoginScope::Open(token, User::kUser, Pin("76543210")));

  REQUIRE(observer->before.size() == 3);
  CHECK(observer->before[0].function == hsm::Function::kInitToken);
  CHECK(observer->before[0].session == nullptr);
  CHECK(observer->before[0].token_label == "root");
  CHECK(observer->before[0].number == 1);
  CHECK(observer->before[1].function == hsm::Function::kInitPin);
  CHECK(observer->before[1].token_serial == token->info().serial);
  CHECK(observer->before[2].function == hsm::Function::kSetPin);
  CHECK(observer->before[2].object == "user PIN");
  CHECK(observer->before[2].number == 3);
  for (const auto& call : observer->before) CHECK(call.attributes.empty());
  REQUIRE(observer->after.size() == 3);
  CHECK(observer->after[0].attributes[1] == hsm::NamedValue{"serial", token->info().serial});
}

TEST_CASE("a wrong PIN is tried once, and the error says how the tries stand") {
  const SoftHsm soft;
  auto observer = std::make_shared<support::ListeningObserver>();
  const auto module = soft.Load(observer);
  const auto token = SoftHsm::MakeToken(module, "root");
  observer->calls.clear();
  const auto error = Bad(LoginScope::Open(token, User::kUser, Pin("9999999")));
  CHECK(error.code == ErrorCode::kToken);
  CHECK(error.rv == CKR_PIN_INCORRECT);
  CHECK(error.message ==
        "logging the user in to " + token->Name() +
            ": C_Login returned CKR_PIN_INCORRECT; the token counts wrong PINs, at least one since the "
            "last right one");
  CHECK(error.message.find("9999999") == std::string::npos);
  CHECK(std::ranges::count(observer->calls, "C_Login CKR_PIN_INCORRECT") == 1);
  Good(LoginScope::Open(token, User::kUser, Pin(support::kUserPin)));
  CHECK(Bad(LoginScope::Open(token, User::kUser, Pin("123"))).rule == "TOKEN-LOGIN-03");
  CHECK(Bad(LoginScope::Open(token, User::kUser, base::SecretBytes())).rule == "TOKEN-LOGIN-04");
}

TEST_CASE("a login ends with its scope, for every session of the token") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  auto bystander = Good(hsm::Session::Open(token, hsm::Session::Access::kReadOnly));
  {
    LoginScope login = SoftHsm::Login(token);
    CHECK(Good(login.session().State()) == CKS_RW_USER_FUNCTIONS);
    CHECK(Good(bystander.State()) == CKS_RO_USER_FUNCTIONS);
    LoginScope moved = std::move(login);
    CHECK(Good(bystander.State()) == CKS_RO_USER_FUNCTIONS);
  }
  CHECK(Good(bystander.State()) == CKS_RO_PUBLIC_SESSION);
}

TEST_CASE("a second login is refused, or shares the first one and leaves it in place") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  LoginScope first = SoftHsm::Login(token);
  const auto error = Bad(LoginScope::Open(token, User::kUser, Pin("9999999")));
  CHECK(error.rule == "TOKEN-LOGIN-05");
  {
    LoginScope second = Good(LoginScope::Open(token, User::kUser, Pin(support::kUserPin), IfLoggedIn::kShare));
    CHECK_FALSE(second.owns_login());
  }
  CHECK(first.owns_login());
  CHECK(Good(first.session().State()) == CKS_RW_USER_FUNCTIONS);
  CHECK(Bad(LoginScope::Open(token, User::kSecurityOfficer, Pin(support::kSoPin))).rv ==
        CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
}

TEST_CASE("a token without a user PIN cannot be logged in to") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto free = Good(module->ListFreeSlots());
  const auto token = Good(Token::Initialise(module, free[0].slot, "bare", Pin(support::kSoPin), Retire::kNo));
  CHECK(Bad(LoginScope::Open(token, User::kUser, Pin(support::kUserPin))).rule == "TOKEN-LOGIN-06");
}

TEST_CASE("a token that was replaced behind our back is noticed") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  Good(Token::Initialise(module, token->slot(), "other", Pin(support::kSoPin), Retire::kYes));
  const auto error = Bad(token->Refresh());
  CHECK(error.code == ErrorCode::kToken);
  CHECK(error.message.find("token \"other\"") != std::string::npos);
}

TEST_CASE("the mechanisms of a token are listed in order") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  const auto mechanisms = Good(token->Mechanisms());
  CHECK(std::ranges::is_sorted(mechanisms));
  CHECK(Good(token->HasMechanism(CKM_ECDSA)));
  CHECK_FALSE(Good(token->HasMechanism(CKM_ECDSA_SHA256)));
  CHECK(Good(token->GetMechanism(CKM_ECDSA)).ulMaxKeySize == 521);
}

}  // namespace
