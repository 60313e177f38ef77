#include "ceremony/record/strict_parse.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace ceremony::record {

using base::ErrorCode;
using base::MakeError;
using nlohmann::json;

base::Result<json> ParseStrict(std::string_view text) {
  constexpr int kMaxDepth = 64;
  if (text.starts_with("\xef\xbb\xbf")) return MakeError(ErrorCode::kInvalidInput, "a byte order mark");
  std::vector<std::set<std::string>> keys;
  std::string trouble;
  const auto watch = [&](int depth, json::parse_event_t event, json& value) {
    const bool opens = event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
    if (opens && depth >= kMaxDepth && trouble.empty()) trouble = "nesting is deeper than 64";
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second && trouble.empty()) {
      trouble = "the key \"" + value.get<std::string>() + "\" occurs twice in one object";
    }
    return true;
  };
  try {
    json parsed = json::parse(text, watch);
    if (!trouble.empty()) return MakeError(ErrorCode::kInvalidInput, trouble);
    return parsed;
  } catch (const json::exception& exception) {
    return MakeError(ErrorCode::kInvalidInput, exception.what());
  }
}

}  // namespace ceremony::record
