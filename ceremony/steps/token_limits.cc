#include "ceremony/steps/token_limits.h"

#include <fmt/format.h>

#include "hsm/limits.h"

namespace ceremony::steps {

base::Result<void> CheckMakes(const hsm::Token& token, bool extractable) {
  if (!extractable || !hsm::LimitsOf(token.quirks()).no_extractable_keys) return {};
  return base::Refusal(
      "KEY-GEN-04",
      fmt::format("the key is to be extractable, and the module of {} makes no key that may leave", token.Name()),
      "say \"extractable\": false in the script, and do without a clone; or make the key elsewhere");
}

}  // namespace ceremony::steps
