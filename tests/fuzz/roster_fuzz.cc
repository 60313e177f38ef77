// Any bytes as a roster of trusted keys: read or refused, never a quorum that
// its people cannot reach.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ceremony/record/trust.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ceremony::record;
  const base::Result<Trust> trust = Trust::ParseRoster({reinterpret_cast<const char*>(data), size});
  if (!trust.ok()) return 0;
  const Trust::Quorum& quorum = trust->witnesses();
  if (quorum.m < 1 || quorum.m > quorum.keys.size()) std::abort();
  return 0;
}
