#include "hsm/token_state.h"

#include <doctest/doctest.h>

#include <string>

namespace {

std::string Names(CK_FLAGS flags) {
  hsm::TokenInfo token;
  token.flags = flags;
  std::string names;
  for (const hsm::TokenState& state : hsm::StatesOf(token))
    names += std::string(state.name) + (state.alarming ? "! " : " ");
  return names;
}

}  // namespace

TEST_CASE("the state of a token is told in words, and what is alarming is marked") {
  CHECK(Names(CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED | CKF_LOGIN_REQUIRED | CKF_RNG) ==
        "initialised user-pin-set login-required ");
  CHECK(Names(CKF_TOKEN_INITIALIZED | CKF_USER_PIN_LOCKED | CKF_SO_PIN_FINAL_TRY) ==
        "initialised user-pin-locked! so-pin-final-try! ");
}

TEST_CASE("a free slot has no PINs, whatever its flags say") {
  CHECK(Names(CKF_SO_PIN_LOCKED | CKF_SO_PIN_TO_BE_CHANGED | CKF_LOGIN_REQUIRED) == "not-initialised ");
}
