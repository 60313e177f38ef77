// TokenWorld is a PKCS#11 module of some make with a fresh token, for one test.
//
// A test that takes its world from NewTokenWorld runs on every make: each test
// program links one token_world_<make>.cc, which defines it. What a make keeps on
// the disk lives in a folder of the world's own and goes with it.
#ifndef TESTS_SUPPORT_TOKEN_WORLD_H_
#define TESTS_SUPPORT_TOKEN_WORLD_H_

#include <memory>
#include <string>

#include "hsm/module.h"

namespace support {

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

  // A make that ties an application to one token that is there already (NSS) says no.
  virtual bool can_init_tokens() const { return true; }
  // A wrong PIN is counted, and enough of them lock the token.
  virtual bool counts_wrong_pins() const { return false; }

  // LoadModule loads the module through hsm::Module; a failure ends the test program.
  std::shared_ptr<hsm::Module> LoadModule(std::shared_ptr<hsm::CallObserver> observer = nullptr);

 protected:
  hsm::ModuleOptions options_;
  std::string token_label_ = "test token";
  std::string so_pin_ = "so-pin-12345";
  std::string user_pin_ = "user-pin-678";
};

// NewTokenWorld makes one with its token ready. Where the make is not installed
// the test program ends with status 77, which means skipped.
std::unique_ptr<TokenWorld> NewTokenWorld();

// A second make to clone to, for tests with two tokens: another token of the same
// make where the make can have several modules in a process, or the fake.
std::unique_ptr<TokenWorld> NewFakeTokenWorld();

// SkipTests prints why and ends the process with status 77.
[[noreturn]] void SkipTests(const std::string& why);

}  // namespace support

#endif  // TESTS_SUPPORT_TOKEN_WORLD_H_
