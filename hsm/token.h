// Token is one initialised token in a slot, found by label and serial number.
#ifndef HSM_TOKEN_H_
#define HSM_TOKEN_H_

#include <memory>
#include <string>
#include <vector>

#include "hsm/base/secret_bytes.h"
#include "hsm/module.h"

namespace hsm {

// Retire says whether Token::Initialise may wipe a token that is in use.
enum class Retire : std::uint8_t { kNo, kYes };

class Token final {
 public:
  // Locate finds the one initialised token with this label and serial number.
  // Either may be empty for "any", not both. kNotFound lists what is there,
  // kAmbiguous lists those that answer.
  static Result<std::shared_ptr<Token>> Locate(std::shared_ptr<Module> module, const std::string& label,
                                               const std::string& serial);

  // Initialise runs C_InitToken on a slot and locates the new token. Its slot id may have changed. `label` is at most
  // 32 bytes of UTF-8. kRefused TOKEN-INIT-01: the slot shows an initialised token and `retire` is kNo; it would be
  // wiped without asking. TOKEN-INIT-02: the PIN has a size that the token does not take. With kYes so_pin must be the
  // old SO PIN. An empty so_pin means the token's own PIN pad; TOKEN-INIT-03 if it has none.
  static Result<std::shared_ptr<Token>> Initialise(std::shared_ptr<Module> module, CK_SLOT_ID slot,
                                                   const std::string& label, const base::SecretBytes& so_pin,
                                                   Retire retire);

  Token(std::shared_ptr<Module> module, TokenInfo info) : module_(std::move(module)), info_(std::move(info)) {}

  // Refresh reads the token's flags again. kToken if the token left its slot or was exchanged.
  Result<void> Refresh();

  // Mechanisms lists the mechanisms of the token, ascending; read once, then kept.
  Result<std::vector<CK_MECHANISM_TYPE>> Mechanisms();
  Result<bool> HasMechanism(CK_MECHANISM_TYPE mechanism);
  Result<CK_MECHANISM_INFO> GetMechanism(CK_MECHANISM_TYPE mechanism);
  // Can tells whether the token lists a mechanism with all of these flags.
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

}  // namespace hsm

#endif  // HSM_TOKEN_H_
