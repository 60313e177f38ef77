// What a token says about its PINs, and what is refused before a PIN is sent: a wrong PIN costs a try.
#ifndef HSM_PIN_RULES_H_
#define HSM_PIN_RULES_H_

#include <string>

#include "hsm/base/secret_bytes.h"
#include "hsm/module.h"

namespace hsm {

enum class User : std::uint8_t { kUser, kSecurityOfficer };

// PinFlags is one row of a table: CK_TOKEN_INFO has the same flags for both users.
struct PinFlags {
  User user;
  const char* name;
  CK_USER_TYPE type;
  CK_FLAGS count_low;
  CK_FLAGS final_try;
  CK_FLAGS locked;
  const char* when_locked;  // the way out
};
const PinFlags& FlagsOf(User user);

// CheckPinTries refuses when the PIN is locked or a wrong one would lock it
// (TOKEN-LOGIN-01, -02), by what the token said when `info` was read.
Result<void> CheckPinTries(const TokenInfo& info, User user);

// PinSizes are the sizes of a PIN, in octets, that a token takes.
struct PinSizes {
  CK_ULONG least = 0;
  CK_ULONG most = CK_UNAVAILABLE_INFORMATION;  // any
  // InWords: "4 to 8", "4 or more".
  std::string InWords() const;
};

// PinSizesOf takes what the token says, corrected by its row of quirks.
PinSizes PinSizesOf(const TokenInfo& info, const Quirks& quirks);

// CheckPinSize refuses (`rule`) a PIN of a size that the token does not take: a
// token may count even that as a wrong try. An empty PIN passes.
Result<void> CheckPinSize(const TokenInfo& info, const Quirks& quirks, const base::SecretBytes& pin,
                          const std::string& rule);

// CheckPinPad refuses (`rule`) an empty PIN when the token has no PIN pad.
Result<void> CheckPinPad(const TokenInfo& info, const base::SecretBytes& pin, const std::string& rule);

// PinPointer is the argument of a call: null for the PIN pad. Modules do not write through it.
CK_UTF8CHAR* PinPointer(const base::SecretBytes& pin);

}  // namespace hsm

#endif  // HSM_PIN_RULES_H_
