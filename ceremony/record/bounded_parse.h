// ParseBounded reads the JSON of a record that nobody has verified: a line of its
// log, or a file beside it.
#ifndef CEREMONY_RECORD_BOUNDED_PARSE_H_
#define CEREMONY_RECORD_BOUNDED_PARSE_H_

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace ceremony::record {

// ParseBounded returns a discarded value (is_discarded) when the text is not JSON, or
// nests deeper than an entry may (kMaxNesting). Code that walks, copies, compares or
// dumps a value recurses: a hostile line could nest deep enough to overflow the stack.
nlohmann::json ParseBounded(std::string_view text);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_BOUNDED_PARSE_H_
