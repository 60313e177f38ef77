#include "ceremony/record/bounded_parse.h"

#include <nlohmann/json.hpp>

#include "ceremony/record/entry.h"

namespace ceremony::record {
namespace {

// What this counts in a text that is not JSON is of no matter: the parser refuses it.
bool NestsTooDeep(std::string_view text) {
  int level = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++level > kMaxNesting) return true;
    } else if (c == '}' || c == ']') {
      --level;
    }
  }
  return false;
}

}  // namespace

nlohmann::json ParseBounded(std::string_view text) {
  if (NestsTooDeep(text)) return nlohmann::json(nlohmann::json::value_t::discarded);
  return nlohmann::json::parse(text, nullptr, false);
}

}  // namespace ceremony::record
