// What `status` shows of keys: their copies, their use against its cap, and until when they are held.
#ifndef CEREMONY_CLI_KEYS_H_
#define CEREMONY_CLI_KEYS_H_

#include <cstdint>
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "ceremony/estate/estate.h"
#include "ceremony/script/policy.h"

namespace ceremony::cli {

// Caps are the policy's; without one nothing is said of them. `now` tells which keys are held no more.
nlohmann::ordered_json KeysJson(const estate::Estate& estate, const std::optional<script::Policy>& policy);
void PrintKeys(const estate::Estate& estate, const std::optional<script::Policy>& policy, std::int64_t now,
               std::ostream& out);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_KEYS_H_
