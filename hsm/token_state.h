// The state of a token in words: one row for each flag of CK_TOKEN_INFO that limits what the token can do now.
#ifndef HSM_TOKEN_STATE_H_
#define HSM_TOKEN_STATE_H_

#include <string_view>
#include <vector>

#include "hsm/module.h"

namespace hsm {

struct TokenState {
  CK_FLAGS flag;
  std::string_view name;   // for programs: "user-pin-locked"
  std::string_view words;  // for people: "the user PIN is locked"
  bool alarming;           // somebody should look before a ceremony begins
};

// StatesOf returns the rows that hold for a token, in the order of the table;
// the first one is "initialised", or "not-initialised" is the only one.
std::vector<TokenState> StatesOf(const TokenInfo& token);

}  // namespace hsm

#endif  // HSM_TOKEN_STATE_H_
