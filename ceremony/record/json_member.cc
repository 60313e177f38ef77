#include "ceremony/record/json_member.h"

#include <nlohmann/json.hpp>

namespace ceremony::record {

using nlohmann::json;

const json& MemberOf(const json& object, std::string_view name) {
  static const json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(name);
  return found == object.end() ? nothing : *found;
}

std::string TextOf(const json& object, std::string_view name) {
  const json& value = MemberOf(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t IntegerOf(const json& object, std::string_view name, std::int64_t otherwise) {
  const json& value = MemberOf(object, name);
  return value.is_number_integer() ? value.get<std::int64_t>() : otherwise;
}

bool FlagOf(const json& object, std::string_view name) {
  const json& value = MemberOf(object, name);
  return value.is_boolean() && value.get<bool>();
}

std::vector<std::string> TextsOf(const json& object, std::string_view name) {
  std::vector<std::string> texts;
  const json& value = MemberOf(object, name);
  if (!value.is_array()) return texts;
  for (const json& each : value) {
    if (each.is_string()) texts.push_back(each.get<std::string>());
  }
  return texts;
}

}  // namespace ceremony::record
