#include "ceremony/script/schema.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/script/expected.h"

namespace ceremony::script {
namespace {

using nlohmann::ordered_json;

ordered_json ObjectSchema(const FieldTable& table, const Field* tag);

// Text has no blank at its ends; a line has no line feed.
constexpr std::string_view kLinePattern = "^[^ \\n]([^\\n]*[^ \\n])?$";
constexpr std::string_view kProsePattern = "^[^ \\n]([\\s\\S]*[^ \\n])?$";

ordered_json ValueSchema(const Field& field) {
  ordered_json schema = ordered_json::object();
  if (!field.help.empty()) schema["description"] = field.help;
  switch (field.type) {
    case FieldType::kText:
    case FieldType::kProse:
    case FieldType::kRegex:
    case FieldType::kShaped:
      schema["type"] = "string";
      if (field.type == FieldType::kShaped) schema["pattern"] = field.shape->pattern.Anchored();
      if (field.type == FieldType::kText) schema["pattern"] = kLinePattern;
      if (field.type == FieldType::kProse) schema["pattern"] = kProsePattern;
      if (field.type == FieldType::kRegex) schema["format"] = "regex";
      schema["minLength"] = field.minimum;
      schema["maxLength"] = field.maximum;
      break;
    case FieldType::kInteger:
      schema["type"] = "integer";
      schema["minimum"] = field.minimum;
      schema["maximum"] = field.maximum;
      break;
    case FieldType::kBoolean:
      schema["type"] = "boolean";
      break;
    case FieldType::kChoice:
      if (field.choices.size() == 1) {
        schema["const"] = field.choices.front().name;
        break;
      }
      schema["enum"] = ordered_json::array();
      for (const ChoiceName& choice : field.choices) schema["enum"].push_back(choice.name);
      break;
    case FieldType::kList:
      schema["type"] = "array";
      schema["items"] = ValueSchema(*field.item);
      schema["minItems"] = field.minimum;
      schema["maxItems"] = field.maximum;
      if (field.unique) schema["uniqueItems"] = true;
      break;
    case FieldType::kMap:
      schema["type"] = "object";
      schema["propertyNames"] = {{"pattern", field.shape->pattern.Anchored()}};
      schema["additionalProperties"] = ValueSchema(*field.item);
      schema["minProperties"] = field.minimum;
      schema["maxProperties"] = field.maximum;
      break;
    case FieldType::kTable:
      schema.update(ObjectSchema(*field.tables.front(), nullptr));
      break;
    case FieldType::kVariant: {
      // One condition for each word, so that an editor names the field that is
      // wrong and not every alternative that does not fit.
      schema["type"] = "object";
      ordered_json words = ordered_json::array();
      ordered_json conditions = ordered_json::array();
      for (const auto& table : field.tables) {
        words.push_back(table->name);
        ordered_json condition;
        condition["if"] = {{"properties", {{field.tag, {{"const", table->name}}}}}, {"required", {field.tag}}};
        condition["then"] = ObjectSchema(*table, field.item.get());
        conditions.push_back(std::move(condition));
      }
      schema["properties"] = {{field.tag, {{"enum", std::move(words)}}}};
      schema["required"] = ordered_json::array({field.tag});
      schema["allOf"] = std::move(conditions);
      break;
    }
  }
  if (!field.default_json.empty()) schema["default"] = ordered_json::parse(field.default_json);
  if (!field.example_json.empty()) schema["examples"] = ordered_json::array({ordered_json::parse(field.example_json)});
  return schema;
}

ordered_json ObjectSchema(const FieldTable& table, const Field* tag) {
  ordered_json schema = ordered_json::object();
  if (!table.help.empty()) schema["description"] = table.help;
  schema["type"] = "object";
  ordered_json properties = ordered_json::object();
  ordered_json required = ordered_json::array();
  if (tag != nullptr) {
    properties[tag->name] = {{"const", table.name}};
    required.push_back(tag->name);
  }
  for (const Field& field : table.fields) {
    properties[field.name] = ValueSchema(field);
    if (field.presence == Presence::kRequired) required.push_back(field.name);
  }
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  ordered_json groups = ordered_json::array();
  for (const auto& group : table.exactly_one_of) {
    ordered_json alternatives = ordered_json::array();
    for (const std::string& name : group) alternatives.push_back({{"required", ordered_json::array({name})}});
    groups.push_back({{"oneOf", std::move(alternatives)}});
  }
  if (!groups.empty()) schema["allOf"] = std::move(groups);
  return schema;
}

ordered_json SchemaOf(const FieldTable& table) {
  ordered_json schema;
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = table.name;
  schema.update(ObjectSchema(table, nullptr));
  return schema;
}

}  // namespace

base::Result<std::string> GenerateSchema(std::string_view kind, const StepFieldSource& kinds) {
  KC_ASSIGN_OR_RETURN(const FieldTable table, TableOf(kind, kinds));
  return SchemaOf(table).dump(2) + "\n";
}

}  // namespace ceremony::script
