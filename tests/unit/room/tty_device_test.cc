#include "ceremony/room/tty_device.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

namespace {

using ceremony::room::TtyDevice;

// How each descriptor of this process that has the file open was opened.
std::vector<int> FlagsOf(const std::string& file) {
  std::vector<int> flags;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the descriptor of this very walk
    if (std::filesystem::read_symlink(entry.path(), gone) == file)
      flags.push_back(fcntl(std::stoi(entry.path().filename().string()), F_GETFL));
  }
  return flags;
}

}  // namespace

TEST_CASE("a key that Ctrl-C has thrown away is not waited for, and nobody else's terminal is made not to block") {
  const int far = posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(far >= 0);
  REQUIRE(grantpt(far) == 0);
  REQUIRE(unlockpt(far) == 0);
  const std::string name = ptsname(far);
  const int near = open(name.c_str(), O_RDWR | O_NOCTTY);
  REQUIRE(near >= 0);
  {
    const auto device = TtyDevice::Adopt(base::FileDescriptor(fcntl(near, F_DUPFD_CLOEXEC, 3)));
    REQUIRE(device.ok());
    const std::vector<int> flags = FlagsOf(name);
    REQUIRE(flags.size() == 2);  // ours, and the device's own
    CHECK((flags[0] & O_NONBLOCK) + (flags[1] & O_NONBLOCK) == O_NONBLOCK);
    CHECK((fcntl(near, F_GETFL) & O_NONBLOCK) == 0);
  }
  CHECK(FlagsOf(name).size() == 1);
  close(near);
  close(far);
}
