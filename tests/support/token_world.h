// TokenWorld is a PKCS#11 module of some make with a fresh token, for one test.
//
// What a make keeps on the disk lives in a folder of the world's own and goes
// with it. A module has one state in a process: one world of a make at a time.
#ifndef TESTS_SUPPORT_TOKEN_WORLD_H_
#define TESTS_SUPPORT_TOKEN_WORLD_H_

#include <memory>
#include <string>
#include <string_view>

#include "hsm/login.h"
#include "hsm/module.h"
#include "hsm/token.h"

namespace support {

// InitArguments is what a module's C_Initialize wants, as hsm::Module gives it.
class InitArguments final {
 public:
  explicit InitArguments(const hsm::ModuleOptions& options);
  InitArguments(const InitArguments&) = delete;  // it points into itself
  InitArguments& operator=(const InitArguments&) = delete;
  void* get() { return &plain_; }

 private:
  std::string text_;
  CK_C_INITIALIZE_ARGS plain_{};
};

class TokenWorld {
 public:
  virtual ~TokenWorld() = default;

  // name is that of the make: "fake", "softhsm", "nss", "p11-kit".
  virtual std::string name() const = 0;

  // LoadApi loads the module, not yet initialised. Arguments for C_Initialize,
  // and what must be in the environment, are in options().
  virtual std::unique_ptr<hsm::CryptokiApi> LoadApi() = 0;

  // options is what a binding would say of the module; path is only a name for the fake.
  const hsm::ModuleOptions& options() const { return options_; }

  // The world's token has this label (alone in its module), and these PINs.
  const std::string& token_label() const { return token_label_; }
  const std::string& so_pin() const { return so_pin_; }
  const std::string& user_pin() const { return user_pin_; }

  // What a make does not do as the standard says, so that a test can leave it out.
  struct Ways {
    bool has_security_officer = true;                    // CKU_SO can log in
    bool respects_buffer_sizes = true;                   // C_GetAttributeValue writes no further than it may
    bool refuses_second_logout = true;                   // CKR_USER_NOT_LOGGED_IN
    bool minds_order = true;                             // calls out of order and short arrays are refused
    bool has_data_objects = true;                        // CKO_DATA without an application
    bool keeps_operation_after_short_buffer = true;      // C_Sign with CKR_BUFFER_TOO_SMALL
    bool shows_local = true;                             // CKA_LOCAL is true on a private key made here
    CK_RV wrong_key_type = CKR_KEY_TYPE_INCONSISTENT;    // C_SignInit: an EC key with an RSA mechanism
    CK_RV wrong_usage = CKR_KEY_FUNCTION_NOT_PERMITTED;  // C_SignInit: CKA_SIGN is false
    CK_RV unknown_key = CKR_KEY_HANDLE_INVALID;          // C_SignInit: no such key
  };
  virtual Ways ways() const { return {}; }

  // FindTokenSlot finds the world's token in an initialised module.
  CK_SLOT_ID FindTokenSlot(hsm::CryptokiApi& api) const;

  // FindToken and Login do the same by hsm; a failure ends the test program.
  std::shared_ptr<hsm::Token> FindToken(const std::shared_ptr<hsm::Module>& module) const;
  hsm::LoginScope Login(const std::shared_ptr<hsm::Token>& token) const;

  // LoadModule loads the module through hsm::Module; a failure ends the test program.
  std::shared_ptr<hsm::Module> LoadModule(std::shared_ptr<hsm::CallObserver> observer = nullptr);

 protected:
  void SetEnvironment() const;
  // MakeToken initialises a free slot of the module and sets both PINs.
  void MakeToken();

  hsm::ModuleOptions options_;
  std::string token_label_ = "test token";
  std::string so_pin_ = "12345678";
  std::string user_pin_ = "1234567";
};

// Each makes a world with its token ready; nullptr where the make is not installed.
std::unique_ptr<TokenWorld> NewFakeWorld();
std::unique_ptr<TokenWorld> NewSoftHsmWorld();
std::unique_ptr<TokenWorld> NewNssWorld();
// SoftHSM in another process, behind p11-kit's server and client.
std::unique_ptr<TokenWorld> NewP11KitWorld();

// NewWorldOf makes one by name; nullptr also for a name that is none of the above.
std::unique_ptr<TokenWorld> NewWorldOf(std::string_view name);

}  // namespace support

#endif  // TESTS_SUPPORT_TOKEN_WORLD_H_
