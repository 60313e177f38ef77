// Token is one initialised token in a slot, found by label and serial number.
#ifndef HSM_TOKEN_H_
#define HSM_TOKEN_H_

#include <memory>
#include <string>
#include <vector>

#include "hsm/base/secret_bytes.h"
#include "hsm/module.h"

namespace hsm {

class Session;

// Retire says whether Token::Initialise may wipe a token that is in use.
enum class Retire : std::uint8_t { kNo, kYes };

class Token final {
 public:
  // Locate finds the one initialised token with this label and serial number.
  // Either may be empty for "any", not both. kNotFound lists what is there,
  // kAmbiguous lists those that answer.
  static Result<std::shared_ptr<Token>> Locate(std::shared_ptr<Module> module, const std::string& label,
                                               const std::string& serial);

  // Initialise runs C_InitToken on a slot and locates the token that came of
  // it, whose slot id may be another. `label` is at most 32 bytes of UTF-8.
  // kRefused TOKEN-INIT-01: the slot shows an initialised token and `retire`
  // is kNo; it would be wiped without a question. TOKEN-INIT-02: the PIN has a
  // size that the token does not take. With kYes so_pin must be the old SO PIN.
  // An empty so_pin means the token's own PIN pad; TOKEN-INIT-03 if it has none.
  static Result<std::shared_ptr<Token>> Initialise(std::shared_ptr<Module> module, CK_SLOT_ID slot,
                                                   const std::string& label, const base::SecretBytes& so_pin,
                                                   Retire retire);

  Token(std::shared_ptr<Module> module, TokenInfo info) : module_(std::move(module)), info_(std::move(info)) {}

  // Refresh reads the token's flags again. kToken if it left its slot or
  // another token is there.
  Result<void> Refresh();

  // Mechanisms lists what it can do, ascending; read once, then kept.
  Result<std::vector<CK_MECHANISM_TYPE>> Mechanisms();
  Result<bool> HasMechanism(CK_MECHANISM_TYPE mechanism);
  Result<CK_MECHANISM_INFO> GetMechanism(CK_MECHANISM_TYPE mechanism);
  // Can tells whether it lists a mechanism with all of these flags.
  Result<bool> Can(CK_MECHANISM_TYPE mechanism, CK_FLAGS flags);

  const TokenInfo& info() const { return info_; }
  std::string Name() const { return info_.Name(); }
  CK_SLOT_ID slot() const { return info_.slot; }
  Module& module() const { return *module_; }
  const std::shared_ptr<Module>& shared_module() const { return module_; }
  const Quirks& quirks() const { return module_->quirks(); }

 private:
  std::shared_ptr<Module> module_;
  TokenInfo info_;
  std::vector<CK_MECHANISM_TYPE> mechanisms_;
  bool mechanisms_read_ = false;
};

// InitPin sets the user PIN (C_InitPIN) in a session of the security officer.
// An empty PIN means the token's own PIN pad. Refusals as for Initialise.
Result<void> InitPin(Session& so_session, const base::SecretBytes& pin);

// SetPin changes the PIN of whoever is logged in (C_SetPIN). Empty PINs mean
// the PIN pad. One attempt: a wrong old PIN counts as a try on the token, and
// is refused like a login when it would be the last (TOKEN-LOGIN-01, -02).
Result<void> SetPin(Session& session, const base::SecretBytes& old_pin, const base::SecretBytes& new_pin);

// PinSizes are the sizes of a PIN, in octets, that a token takes.
struct PinSizes {
  CK_ULONG least = 0;
  CK_ULONG most = CK_UNAVAILABLE_INFORMATION;  // any
  // InWords: "4 to 8", "4 or more".
  std::string InWords() const;
};

// PinSizesOf takes what the token says and what its row of quirks knows better.
PinSizes PinSizesOf(const TokenInfo& info, const Quirks& quirks);

// CheckPinSize refuses a PIN whose size the token does not take (rule), since
// a token may count even that as a wrong try.
Result<void> CheckPinSize(const Token& token, const base::SecretBytes& pin, const std::string& rule);

}  // namespace hsm

#endif  // HSM_TOKEN_H_
