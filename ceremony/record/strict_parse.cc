#include "ceremony/record/strict_parse.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ceremony::record {
namespace {

using nlohmann::json;

base::Error Problem(std::string_view rule, std::string message) {
  return base::MakeError(base::ErrorCode::kInvalidInput, std::move(message)).WithRule(std::string(rule));
}

// nlohmann's words without the id of its own, and without what it has read, which a terminal may obey.
std::string SyntaxWords(std::string words) {
  if (const std::size_t id = words.find("] "); words.starts_with("[json.") && id != std::string::npos)
    words.erase(0, id + 2);
  const std::size_t read = words.find("; last read: '");
  const std::size_t expected = words.rfind("; expected ");
  if (read == std::string::npos) return words;
  return words.substr(0, read) + (expected == std::string::npos || expected < read ? "" : words.substr(expected));
}

}  // namespace

base::Result<json> ParseStrict(std::string_view text) {
  constexpr int kMaxDepth = 64;
  if (text.starts_with("\xef\xbb\xbf")) return Problem("INPUT-07", "a byte order mark");
  std::vector<std::set<std::string>> keys;
  std::string_view rule;
  std::string trouble;
  const auto watch = [&](int depth, json::parse_event_t event, json& value) {
    const bool opens = event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
    if (opens && depth >= kMaxDepth && trouble.empty()) {
      rule = "INPUT-06";
      trouble = "nesting is deeper than 64";
    }
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second && trouble.empty()) {
      rule = "INPUT-02";
      trouble = "the key \"" + value.get<std::string>() + "\" occurs twice in one object";
    }
    return true;
  };
  try {
    json parsed = json::parse(text, watch);
    if (!trouble.empty()) return Problem(rule, trouble);
    return parsed;
  } catch (const json::exception& exception) {
    return Problem("INPUT-07", "not JSON: " + SyntaxWords(exception.what()));
  }
}

}  // namespace ceremony::record
