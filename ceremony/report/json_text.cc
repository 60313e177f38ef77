#include "ceremony/report/json_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ceremony::report {

using nlohmann::json;

std::string Spoken(std::string name, char joint) {
  std::ranges::replace(name, joint, ' ');
  return name;
}

std::string TimeInWords(const std::string& text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() <= kForm.size() || text.back() != 'Z') return text;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == '0' ? !digit : text[i] != kForm[i]) return text;
  }
  return text.substr(0, 10) + " " + text.substr(11, 8) + " UTC";
}

std::string InWords(const json& value) {
  if (value.is_string()) return TimeInWords(value.get<std::string>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_null()) return "none";
  if (!value.is_structured()) return value.dump();
  std::string words;
  for (const auto& [name, each] : value.items()) {
    const char* between = value.is_object() || each.is_structured() ? "; " : ", ";
    words += (words.empty() ? "" : between) + (value.is_object() ? Spoken(name, '_') + ": " : "") + InWords(each);
  }
  return words;
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
