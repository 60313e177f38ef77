// Reading members of JSON that nobody has checked: one that is missing or of another
// type is empty, never an error.
#ifndef CEREMONY_RECORD_JSON_MEMBER_H_
#define CEREMONY_RECORD_JSON_MEMBER_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace ceremony::record {

// MemberOf returns a reference into `object`, or to a null value that lives for ever.
const nlohmann::json& MemberOf(const nlohmann::json& object, std::string_view name);
std::string TextOf(const nlohmann::json& object, std::string_view name);
std::int64_t IntegerOf(const nlohmann::json& object, std::string_view name, std::int64_t otherwise = 0);
bool FlagOf(const nlohmann::json& object, std::string_view name);
// TextsOf returns the strings of an array.
std::vector<std::string> TextsOf(const nlohmann::json& object, std::string_view name);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_JSON_MEMBER_H_
