// NSS softoken: a directory is a token, made when it is opened; it wants its
// parameters as a string, and its first SO PIN is empty.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "hsm/real_cryptoki.h"
#include "tests/support/token_world.h"

namespace support {
namespace {

constexpr const char* kPaths[] = {"/usr/lib/x86_64-linux-gnu/libsoftokn3.so",
                                  "/usr/lib/aarch64-linux-gnu/libsoftokn3.so",
                                  "/usr/lib/x86_64-linux-gnu/nss/libsoftokn3.so", "/usr/lib64/libsoftokn3.so"};

std::string NssPath() {
  for (const char* const path : kPaths) {
    if (access(path, R_OK) == 0) return path;
  }
  return {};
}

class NssWorld final : public TokenWorld {
 public:
  explicit NssWorld(const std::string& path) {
    std::string folder = (std::filesystem::temp_directory_path() / "nss-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) {
      std::perror("mkdtemp");
      std::abort();
    }
    folder_ = folder;
    options_.path = path;
    options_.init_args = "configdir='sql:" + folder_ +
                         "' certPrefix='' keyPrefix='' secmod='secmod.db' dbTokenDescription='" + token_label_ +
                         "' flags=";
    so_pin_.clear();
    SetFirstPin();
  }
  ~NssWorld() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string name() const override { return "nss"; }
  Ways ways() const override {
    return {.has_security_officer = false,
            .respects_buffer_sizes = false,
            .minds_order = false,
            .has_data_objects = false,
            .shows_local = false,
            .wrong_usage = CKR_KEY_TYPE_INCONSISTENT};
  }
  std::unique_ptr<hsm::CryptokiApi> LoadApi() override { return hsm::RealCryptoki::Load(options_.path).value(); }

 private:
  void SetFirstPin();
  std::string folder_;
};

void NssWorld::SetFirstPin() {
  const std::unique_ptr<hsm::CryptokiApi> api = LoadApi();
  InitArguments arguments(options_);
  const auto must = [](CK_RV rv, const char* what) {
    if (rv == CKR_OK) return;
    std::fprintf(stderr, "cannot set the token up: %s returned 0x%lx\n", what, rv);
    std::abort();
  };
  must(api->Initialize(arguments.get()), "C_Initialize");
  const CK_SLOT_ID slot = FindTokenSlot(*api);
  CK_SESSION_HANDLE session = 0;
  must(api->OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, &session), "C_OpenSession");
  CK_UTF8CHAR nothing[1] = {};
  must(api->Login(session, CKU_SO, nothing, 0), "C_Login");
  must(api->InitPin(session, reinterpret_cast<CK_UTF8CHAR*>(user_pin_.data()), user_pin_.size()), "C_InitPIN");
  must(api->Finalize(), "C_Finalize");
}

}  // namespace

std::unique_ptr<TokenWorld> NewNssWorld() {
  const std::string path = NssPath();
  return path.empty() ? nullptr : std::make_unique<NssWorld>(path);
}

}  // namespace support
