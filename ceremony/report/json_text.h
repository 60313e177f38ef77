// JSON that nobody has checked, read and spelled for people.
#ifndef CEREMONY_REPORT_JSON_TEXT_H_
#define CEREMONY_REPORT_JSON_TEXT_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "ceremony/record/json_member.h"
#include "ceremony/report/report_data.h"

namespace ceremony::report {

using record::FlagOf;
using record::IntegerOf;
using record::MemberOf;
using record::TextOf;
using record::TextsOf;

// Spoken is a name of an entry in words: blanks stand where `joint`, a hyphen or underscore, joins them.
std::string Spoken(std::string name, char joint);

// TimeInWords is a time in UTC without its microseconds, "2026-11-21 09:14:03 UTC"; another text stays as it is.
std::string TimeInWords(const std::string& text);

// InWords spells a value for people: a text as it is but for times, a list joined by commas,
// an object as "name: value; ...".
std::string InWords(const nlohmann::json& value);

// ShortValues lists the members of an object whose words have at most `longest` bytes.
std::vector<NameValue> ShortValues(const nlohmann::json& object, std::size_t longest = 120);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_JSON_TEXT_H_
