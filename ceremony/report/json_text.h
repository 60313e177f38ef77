// Reading JSON that nobody has checked: what is missing or of another type is
// empty, never an error.
#ifndef CEREMONY_REPORT_JSON_TEXT_H_
#define CEREMONY_REPORT_JSON_TEXT_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "ceremony/report/report_data.h"

namespace ceremony::report {

const nlohmann::json& MemberOf(const nlohmann::json& object, const char* name);
std::string TextOf(const nlohmann::json& object, const char* name);
std::int64_t IntegerOf(const nlohmann::json& object, const char* name, std::int64_t otherwise = 0);
bool FlagOf(const nlohmann::json& object, const char* name);
std::vector<std::string> TextsOf(const nlohmann::json& object, const char* name);

// InWords spells a value for people: a text as it is, a list joined by commas,
// an object as "name: value; ...".
std::string InWords(const nlohmann::json& value);

// ShortValues lists the members of an object whose words have at most `longest` bytes.
std::vector<NameValue> ShortValues(const nlohmann::json& object, std::size_t longest = 120);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_JSON_TEXT_H_
