// ParseBounded reads the JSON of a record that nobody has verified: a line of its
// log, or a file beside it.
#ifndef CEREMONY_RECORD_BOUNDED_PARSE_H_
#define CEREMONY_RECORD_BOUNDED_PARSE_H_

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace ceremony::record {

// ParseBounded returns a discarded value (is_discarded) for what is not JSON and for
// what nests deeper than an entry may (kMaxNesting). Whoever walks, copies, compares
// or spells a value does so by recursion: one line of a hostile log could nest so deep
// that the stack ends.
nlohmann::json ParseBounded(std::string_view text);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_BOUNDED_PARSE_H_
