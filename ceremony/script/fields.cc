#include "ceremony/script/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace ceremony::script {
namespace {

constexpr std::int64_t kLongestLine = 200;
constexpr std::int64_t kLongestProse = 4000;
constexpr std::int64_t kLongestShaped = 4096;

Field Make(FieldType type, std::string name, std::string help) {
  Field field;
  field.name = std::move(name);
  field.type = type;
  field.help = std::move(help);
  return field;
}

}  // namespace

Field Field::Text(std::string name, std::string help) {
  return Make(FieldType::kText, std::move(name), std::move(help)).Length(1, kLongestLine);
}

Field Field::Prose(std::string name, std::string help) {
  return Make(FieldType::kProse, std::move(name), std::move(help)).Length(1, kLongestProse);
}

Field Field::Shaped(std::string name, const Shape& shape, std::string help) {
  Field field = Make(FieldType::kShaped, std::move(name), std::move(help)).Length(1, kLongestShaped);
  field.shape = &shape;
  return field;
}

Field Field::Id(std::string name, std::string help) { return Shaped(std::move(name), IdShape(), std::move(help)); }
Field Field::Digest(std::string name, std::string help) {
  return Shaped(std::move(name), DigestShape(), std::move(help));
}
Field Field::Time(std::string name, std::string help) { return Shaped(std::move(name), TimeShape(), std::move(help)); }
Field Field::Date(std::string name, std::string help) { return Shaped(std::move(name), DateShape(), std::move(help)); }

Field Field::Path(std::string name, std::string help) {
  return Shaped(std::move(name), PathShape(), std::move(help)).Refers(Reference::kFile);
}

Field Field::Regex(std::string name, std::string help) {
  return Make(FieldType::kRegex, std::move(name), std::move(help))
      .Length(1, static_cast<std::int64_t>(Pattern::kMaxLength));
}

Field Field::Integer(std::string name, std::int64_t minimum, std::int64_t maximum, std::string help) {
  return Make(FieldType::kInteger, std::move(name), std::move(help)).Length(minimum, maximum);
}

Field Field::Boolean(std::string name, std::string help) {
  return Make(FieldType::kBoolean, std::move(name), std::move(help));
}

Field Field::Choice(std::string name, std::vector<ChoiceName> choices, std::string help) {
  Field field = Make(FieldType::kChoice, std::move(name), std::move(help));
  field.choices = std::move(choices);
  return field;
}

Field Field::List(std::string name, Field item, std::int64_t minimum, std::int64_t maximum, std::string help) {
  Field field = Make(FieldType::kList, std::move(name), std::move(help)).Length(minimum, maximum);
  field.item = std::make_shared<const Field>(std::move(item));
  return field;
}

Field Field::Map(std::string name, const Shape& names, Field item, std::int64_t minimum, std::int64_t maximum,
                 std::string help) {
  Field field = Make(FieldType::kMap, std::move(name), std::move(help)).Length(minimum, maximum);
  field.shape = &names;
  field.item = std::make_shared<const Field>(std::move(item));
  return field;
}

Field Field::Table(std::string name, FieldTable table, std::string help) {
  Field field = Make(FieldType::kTable, std::move(name), std::move(help));
  field.tables.push_back(std::make_shared<const FieldTable>(std::move(table)));
  return field;
}

Field Field::Variant(std::string name, Field tag, std::vector<FieldTable> tables, std::string help) {
  Field field = Make(FieldType::kVariant, std::move(name), std::move(help));
  field.tag = tag.name;
  field.item = std::make_shared<const Field>(std::move(tag));
  for (FieldTable& table : tables) field.tables.push_back(std::make_shared<const FieldTable>(std::move(table)));
  return field;
}

Field Field::Optional() && {
  presence = Presence::kOptional;
  return std::move(*this);
}

Field Field::DefaultJson(std::string json) && {
  presence = Presence::kOptional;
  default_json = std::move(json);
  return std::move(*this);
}

Field Field::Default(const char* text) && { return std::move(*this).DefaultJson(nlohmann::json(text).dump()); }
Field Field::Default(bool value) && { return std::move(*this).DefaultJson(value ? "true" : "false"); }
Field Field::Default(std::int64_t value) && { return std::move(*this).DefaultJson(std::to_string(value)); }
Field Field::Default(int value) && { return std::move(*this).DefaultJson(std::to_string(value)); }

Field Field::Example(std::string json) && {
  example_json = std::move(json);
  return std::move(*this);
}

Field Field::Length(std::int64_t least, std::int64_t most) && {
  minimum = least;
  maximum = most;
  return std::move(*this);
}

Field Field::Refers(Reference reference) && {
  refers = reference;
  return std::move(*this);
}

Field Field::Unique() && {
  unique = true;
  return std::move(*this);
}

Field Field::Unquotable() && {
  quotable = false;
  return std::move(*this);
}

const Field* FieldTable::Find(std::string_view field) const {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& each) { return each.name == field; });
  return found == fields.end() ? nullptr : &*found;
}

Field FormatField(std::string format) {
  return Field::Choice("format", {{std::move(format), "this version"}}, "what kind of file this is, and its version");
}

}  // namespace ceremony::script
