// The SHA-256 of a module is of what was loaded.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "hsm/base/digest.h"
#include "hsm/module.h"
#include "tests/support/fake_token.h"
#include "tests/support/results.h"

namespace {

using support::Bad;
using support::Good;

struct File {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("module-" + std::to_string(getpid()) + ".so");

  explicit File(const std::string& text) { Write(text); }
  ~File() { std::filesystem::remove(path); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  void Write(const std::string& text) const { std::ofstream(path) << text; }

  std::shared_ptr<hsm::Module> Load() const {
    return Good(hsm::Module::Wrap(std::make_unique<support::FakeCryptoki>(std::make_shared<support::FakeDevice>()),
                                  {.path = path.string(), .environment = {}, .init_args = {}}, nullptr));
  }
};

}  // namespace

TEST_CASE("a module whose file was replaced since it was loaded has no SHA-256 that would be another's") {
  const File file("the first module");
  const auto first = file.Load();
  const auto second = file.Load();
  CHECK(Good(first->FileSha256()) == base::Sha256Hex("the first module"));
  file.Write("another module");
  CHECK(Bad(second->FileSha256()).message.find("was replaced since it was loaded") != std::string::npos);
  CHECK(Good(first->FileSha256()) == base::Sha256Hex("the first module"));  // digested in time
  std::filesystem::remove(file.path);
  CHECK_FALSE(second->FileSha256().ok());
  file.Write("another module");
  CHECK(Good(file.Load()->FileSha256()) == base::Sha256Hex("another module"));
}
