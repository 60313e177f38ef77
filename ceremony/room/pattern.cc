#include "ceremony/room/pattern.h"

#include <fmt/format.h>

#include <regex>

#include "ceremony/room/text.h"

namespace ceremony::room {
namespace {

// libstdc++'s default matcher backtracks: "(a*)*b" needs minutes for two dozen
// letters. Its breadth-first one does not, and refuses back-references instead.
#ifdef __GLIBCXX__
constexpr auto kFlags = std::regex_constants::ECMAScript | std::regex_constants::__polynomial;
#else
constexpr auto kFlags = std::regex_constants::ECMAScript;
#endif

}  // namespace

base::Result<bool> MatchesPattern(const std::string& pattern, std::string_view text) {
  try {
    return std::regex_match(text.begin(), text.end(), std::regex(pattern, kFlags));
  } catch (const std::regex_error& error) {
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           fmt::format("pattern {} cannot be used: {}", Quoted(pattern), error.what()));
  }
}

base::Result<void> CheckPattern(const std::string& pattern) {
  KC_RETURN_IF_ERROR(MatchesPattern(pattern, ""));
  return {};
}

}  // namespace ceremony::room
