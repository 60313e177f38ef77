#include "hsm/base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "hsm/base/encoding.h"

namespace base {

void FillRandom(std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = getrandom(out.data() + done, out.size() - done, 0);
    if (got < 0 && errno == EINTR) continue;  // a signal came, of which nobody here has to know
    if (got < 0) {
      std::perror("keyceremony: error: getrandom");
      std::abort();
    }
    done += static_cast<std::size_t>(got);
  }
}

std::string RandomHex(std::size_t bytes) {
  Bytes random(bytes);
  FillRandom(random);
  return HexEncode(random);
}

}  // namespace base
