#include "ceremony/run/program.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "hsm/base/aside.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::run {

using nlohmann::json;

base::Result<json> DescribeProgram() {
  const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return base::SystemError("open", "/proc/self/exe", errno);
  base::Sha256Stream digest;
  std::array<std::uint8_t, 65536> block;
  ssize_t got = 0;
  while ((got = read(fd, block.data(), block.size())) > 0) digest.Update({block.data(), static_cast<std::size_t>(got)});
  const int error = errno;
  close(fd);
  if (got < 0) return base::SystemError("read", "/proc/self/exe", error);
  return json{{"name", "keyceremony"},
              {"version", KEYCEREMONY_VERSION},
              {"sha256", base::HexEncode(digest.Finish())},
              {"libraries", {{"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)}}}};
}

std::shared_future<base::Result<json>> DescribeProgramAside() { return base::Aside(DescribeProgram).share(); }

}  // namespace ceremony::run
