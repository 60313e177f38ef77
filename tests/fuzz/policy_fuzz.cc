// Any bytes as a policy: what is accepted keeps its meaning when it is spelled
// anew, and nobody at all is never a quorum.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ceremony/record/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ceremony::record;
  const base::Result<Policy> policy = Policy::Parse({reinterpret_cast<const char*>(data), size});
  if (!policy.ok()) return 0;
  const base::Result<Policy> again = Policy::Parse(policy->Text());
  if (!again.ok() || again->Text() != policy->Text()) std::abort();
  if (policy->quorum() != "none" && policy->Evaluate({}).met) std::abort();
  return 0;
}
