#include "tests/support/fake_token.h"
#include "tests/support/token_world.h"

namespace support {
namespace {

class FakeWorld final : public TokenWorld {
 public:
  FakeWorld() : device_(std::make_shared<FakeDevice>()) {
    options_.path = "fake.so";
    device_->AddSlot("fake-0001");
    device_->AddSlot("fake-0002");
    MakeToken();
  }
  std::string name() const override { return "fake"; }
  std::unique_ptr<hsm::CryptokiApi> LoadApi() override { return std::make_unique<FakeCryptoki>(device_); }

 private:
  std::shared_ptr<FakeDevice> device_;
};

}  // namespace

std::unique_ptr<TokenWorld> NewFakeWorld() { return std::make_unique<FakeWorld>(); }

}  // namespace support
