#include "hsm/token_state.h"

#include <array>

namespace hsm {
namespace {

// PKCS#11 2.30 and later; the header is older here.
constexpr CK_FLAGS kErrorState = 1UL << 24;

constexpr std::array kStates = {
    TokenState{CKF_TOKEN_INITIALIZED, "initialised", "initialised", false},
    TokenState{CKF_USER_PIN_INITIALIZED, "user-pin-set", "user PIN set", false},
    TokenState{CKF_LOGIN_REQUIRED, "login-required", "login required", false},
    TokenState{CKF_PROTECTED_AUTHENTICATION_PATH, "protected-path", "PINs are typed on its own pad", false},
    TokenState{CKF_WRITE_PROTECTED, "write-protected", "write-protected", false},
    TokenState{CKF_USER_PIN_COUNT_LOW, "user-pin-count-low", "a wrong user PIN was tried", true},
    TokenState{CKF_USER_PIN_FINAL_TRY, "user-pin-final-try", "ONE TRY LEFT for the user PIN", true},
    TokenState{CKF_USER_PIN_LOCKED, "user-pin-locked", "the user PIN is LOCKED", true},
    TokenState{CKF_USER_PIN_TO_BE_CHANGED, "user-pin-to-be-changed", "the user PIN must be changed", true},
    TokenState{CKF_SO_PIN_COUNT_LOW, "so-pin-count-low", "a wrong SO PIN was tried", true},
    TokenState{CKF_SO_PIN_FINAL_TRY, "so-pin-final-try", "ONE TRY LEFT for the SO PIN", true},
    TokenState{CKF_SO_PIN_LOCKED, "so-pin-locked", "the SO PIN is LOCKED", true},
    TokenState{CKF_SO_PIN_TO_BE_CHANGED, "so-pin-to-be-changed", "the SO PIN must be changed", true},
    TokenState{kErrorState, "error", "the token failed its self-test", true},
};

}  // namespace

std::vector<TokenState> StatesOf(const TokenInfo& token) {
  std::vector<TokenState> states;
  if (!token.initialised()) {
    // A free slot has no PINs yet; SoftHSM calls them locked.
    states.push_back({0, "not-initialised", "not initialised", false});
    return states;
  }
  for (const TokenState& state : kStates) {
    if ((token.flags & state.flag) != 0) states.push_back(state);
  }
  return states;
}

}  // namespace hsm
