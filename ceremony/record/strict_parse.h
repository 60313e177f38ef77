// ParseStrict reads the JSON files that people write, as far as a verifier
// needs them: roster and script.
#ifndef CEREMONY_RECORD_STRICT_PARSE_H_
#define CEREMONY_RECORD_STRICT_PARSE_H_

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "hsm/base/result.h"

namespace ceremony::record {

// ParseStrict refuses (kInvalidInput) text that is not RFC 8259, or that two readers
// could understand differently: a byte order mark, the same key twice in one object,
// or nesting deeper than 64. Its rule is that of the same problem in an input of a ceremony (docs/script-format.md).
base::Result<nlohmann::json> ParseStrict(std::string_view text);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_STRICT_PARSE_H_
