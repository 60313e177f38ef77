#include "tests/support/softhsm.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "hsm/pin.h"

namespace support {
namespace {

constexpr const char* kPaths[] = {
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
};

// A test without its token can say nothing; the process ends with the reason.
template <typename T>
T Must(base::Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "cannot set the token up: %s\n", result.error().message.c_str());
    std::abort();
  }
  return std::move(result).value();
}
void Must(const base::Result<void>& result) {
  if (result.ok()) return;
  std::fprintf(stderr, "cannot set the token up: %s\n", result.error().message.c_str());
  std::abort();
}

}  // namespace

std::string SoftHsmPath() {
  for (const char* const path : kPaths) {
    if (access(path, R_OK) == 0) return path;
  }
  return {};
}

base::SecretBytes Pin(std::string_view characters) { return base::SecretBytes::CopyOf(base::AsBytes(characters)); }

SoftHsm::SoftHsm() {
  std::string name = (std::filesystem::temp_directory_path() / "softhsm-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    std::perror("mkdtemp");
    std::abort();
  }
  folder_ = name;
  tokens_ = folder_ + "/tokens";
  std::filesystem::create_directory(tokens_);
  std::ofstream conf(folder_ + "/softhsm2.conf");
  conf << "directories.tokendir = " << tokens_ << "\nobjectstore.backend = file\nlog.level = ERROR\n";
}

SoftHsm::~SoftHsm() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

hsm::ModuleOptions SoftHsm::options() const {
  return {.path = SoftHsmPath(), .environment = {{"SOFTHSM2_CONF", folder_ + "/softhsm2.conf"}}, .init_args = {}};
}

std::shared_ptr<hsm::Module> SoftHsm::Load(std::shared_ptr<hsm::CallObserver> observer) const {
  return Must(hsm::Module::Load(options(), std::move(observer)));
}

std::shared_ptr<hsm::Token> SoftHsm::MakeToken(const std::shared_ptr<hsm::Module>& module, const std::string& label) {
  const std::vector<hsm::TokenInfo> free = Must(module->ListFreeSlots());
  if (free.empty()) std::abort();
  std::shared_ptr<hsm::Token> token =
      Must(hsm::Token::Initialise(module, free.front().slot, label, Pin(kSoPin), hsm::Retire::kNo));
  {
    hsm::LoginScope officer = Must(hsm::LoginScope::Open(token, hsm::User::kSecurityOfficer, Pin(kSoPin)));
    Must(hsm::InitPin(officer.session(), Pin(kUserPin)));
    Must(officer.Close());
  }
  Must(token->Refresh());
  return token;
}

hsm::LoginScope SoftHsm::Login(const std::shared_ptr<hsm::Token>& token) {
  return Must(hsm::LoginScope::Open(token, hsm::User::kUser, Pin(kUserPin)));
}

}  // namespace support
