#include <optional>

#include "hsm/real_cryptoki.h"
#include "tests/support/softhsm.h"
#include "tests/support/token_world.h"

namespace support {
namespace {

class SoftHsmWorld final : public TokenWorld {
 public:
  SoftHsmWorld() {
    options_ = folder_.options();
    MakeToken();
  }
  std::string name() const override { return "softhsm"; }
  Ways ways() const override {
    return {.refuses_second_logout = false, .wrong_key_type = CKR_OK, .unknown_key = CKR_OBJECT_HANDLE_INVALID};
  }
  std::unique_ptr<hsm::CryptokiApi> LoadApi() override { return hsm::RealCryptoki::Load(options_.path).value(); }

 private:
  SoftHsm folder_;
};

}  // namespace

std::unique_ptr<TokenWorld> NewSoftHsmWorld() {
  return SoftHsmPath().empty() ? nullptr : std::make_unique<SoftHsmWorld>();
}

}  // namespace support
