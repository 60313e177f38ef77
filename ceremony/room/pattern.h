// Patterns of typed answers: ECMAScript regular expressions without
// back-references, matched against the whole answer in time that grows with its
// length and never explodes: a script that was written in a hurry may not hang a room.
#ifndef CEREMONY_ROOM_PATTERN_H_
#define CEREMONY_ROOM_PATTERN_H_

#include <string>
#include <string_view>

#include "hsm/base/result.h"

namespace ceremony::room {

// MatchesPattern says whether all of `text` matches; kInvalidInput when the
// pattern is no regular expression or refers back.
base::Result<bool> MatchesPattern(const std::string& pattern, std::string_view text);

// CheckPattern says whether a pattern can be used at all.
base::Result<void> CheckPattern(const std::string& pattern);

}  // namespace ceremony::room

#endif  // CEREMONY_ROOM_PATTERN_H_
