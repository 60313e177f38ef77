#include "ceremony/report/json_text.h"

#include <nlohmann/json.hpp>

namespace ceremony::report {

using nlohmann::json;

const json& MemberOf(const json& object, const char* name) {
  static const json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(name);
  return found == object.end() ? nothing : *found;
}

std::string TextOf(const json& object, const char* name) {
  const json& value = MemberOf(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t IntegerOf(const json& object, const char* name, std::int64_t otherwise) {
  const json& value = MemberOf(object, name);
  return value.is_number_integer() ? value.get<std::int64_t>() : otherwise;
}

bool FlagOf(const json& object, const char* name) {
  const json& value = MemberOf(object, name);
  return value.is_boolean() && value.get<bool>();
}

std::vector<std::string> TextsOf(const json& object, const char* name) {
  std::vector<std::string> texts;
  const json& value = MemberOf(object, name);
  if (!value.is_array()) return texts;
  for (const json& each : value) {
    if (each.is_string()) texts.push_back(each.get<std::string>());
  }
  return texts;
}

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
