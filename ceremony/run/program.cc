#include "ceremony/run/program.h"

#include <fcntl.h>
#include <openssl/crypto.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "hsm/base/aside.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/file.h"

namespace ceremony::run {

using nlohmann::json;

base::Result<json> DescribeProgram() {
  const base::FileDescriptor program(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  if (!program.valid()) return base::SystemError("open", "/proc/self/exe", errno);
  base::Sha256Stream digest;
  std::array<std::uint8_t, 65536> block;
  ssize_t got = 0;
  while ((got = program.ReadSome(block)) > 0) digest.Update({block.data(), static_cast<std::size_t>(got)});
  if (got < 0) return base::SystemError("read", "/proc/self/exe", errno);
  return json{{"name", "keyceremony"},
              {"version", KEYCEREMONY_VERSION},
              {"sha256", base::HexEncode(digest.Finish())},
              {"libraries", {{"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)}}}};
}

std::shared_future<base::Result<json>> DescribeProgramAside() { return base::Aside(DescribeProgram).share(); }

}  // namespace ceremony::run
