#include "ceremony/report/json_text.h"

#include <nlohmann/json.hpp>

namespace ceremony::report {

using nlohmann::json;

std::string InWords(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_null()) return "none";
  std::string words;
  if (value.is_array()) {
    for (const json& each : value) words += (words.empty() ? "" : each.is_structured() ? "; " : ", ") + InWords(each);
    return words;
  }
  if (value.is_object()) {
    for (const auto& [name, each] : value.items()) words += (words.empty() ? "" : "; ") + name + ": " + InWords(each);
    return words;
  }
  return value.dump();
}

std::vector<NameValue> ShortValues(const json& object, std::size_t longest) {
  std::vector<NameValue> values;
  if (!object.is_object()) return values;
  for (const auto& [name, value] : object.items()) {
    std::string words = InWords(value);
    if (words.size() <= longest) values.emplace_back(name, std::move(words));
  }
  return values;
}

}  // namespace ceremony::report
