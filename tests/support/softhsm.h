// SoftHsm gives a test real tokens: the SoftHSM module with a token folder of
// the test's own, which goes when the test is over.
//
// SoftHSM reads SOFTHSM2_CONF in C_Initialize and has one state a process, so
// one SoftHsm is used at a time, and its modules must be gone before the next.
#ifndef TESTS_SUPPORT_SOFTHSM_H_
#define TESTS_SUPPORT_SOFTHSM_H_

#include <memory>
#include <string>
#include <string_view>

#include "hsm/base/secret_bytes.h"
#include "hsm/login.h"
#include "hsm/module.h"
#include "hsm/token.h"

namespace support {

// SoftHsmPath is where the module is on this machine; empty if it is not.
std::string SoftHsmPath();

// Pin makes a PIN of its characters.
base::SecretBytes Pin(std::string_view characters);

inline constexpr std::string_view kSoPin = "12345678";
inline constexpr std::string_view kUserPin = "1234567";

class SoftHsm final {
 public:
  SoftHsm();
  ~SoftHsm();
  SoftHsm(const SoftHsm&) = delete;
  SoftHsm& operator=(const SoftHsm&) = delete;

  // Options for hsm::Module::Load: the path, and SOFTHSM2_CONF in the environment.
  hsm::ModuleOptions options() const;
  const std::string& folder() const { return folder_; }  // the test's own, removed in the end
  const std::string& tokens() const { return tokens_; }  // SoftHSM's token folder in it

  // Load loads the module; the test fails if that fails.
  std::shared_ptr<hsm::Module> Load(std::shared_ptr<hsm::CallObserver> observer = nullptr) const;
  // MakeToken initialises a token in the free slot and sets both PINs.
  static std::shared_ptr<hsm::Token> MakeToken(const std::shared_ptr<hsm::Module>& module, const std::string& label);
  // Login logs the user in.
  static hsm::LoginScope Login(const std::shared_ptr<hsm::Token>& token);

 private:
  std::string folder_;
  std::string tokens_;
};

}  // namespace support

#endif  // TESTS_SUPPORT_SOFTHSM_H_
