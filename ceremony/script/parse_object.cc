#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "ceremony/script/expected.h"
#include "ceremony/script/fields.h"
#include "ceremony/script/visible_text.h"

namespace ceremony::script {
namespace {

using nlohmann::json;

class Reader final {
 public:
  Reader(const Document& document, Problems& problems) : document_(document), problems_(problems) {}

  json Object(const FieldTable& table, const Field* tag, const Node& node) {
    json values = json::object();
    for (const Node* member : node.children()) {
      if (tag != nullptr && member->key() == tag->name) {
        values[tag->name] = member->text();
      } else if (const Field* field = table.Find(member->key()); field != nullptr) {
        values[field->name] = Value(*field, *member);
      } else {
        Unknown(table, tag, *member);
      }
    }
    for (const Field& field : table.fields) {
      if (node.Find(field.name) != nullptr) continue;
      if (field.presence == Presence::kRequired) {
        Missing(node, field.name, Expected(field));
      } else if (!field.default_json.empty()) {
        values[field.name] = json::parse(field.default_json);
      }
    }
    for (const auto& group : table.exactly_one_of) CheckGroup(group, node);
    return values;
  }

  json Value(const Field& field, const Node& node) {
    switch (field.type) {
      case FieldType::kText:
      case FieldType::kProse:
      case FieldType::kShaped:
      case FieldType::kRegex:
      case FieldType::kChoice:
        return TextValue(field, node);
      case FieldType::kInteger:
        if (node.kind() != Node::Kind::kInteger) return Mistyped(field, node);
        if (node.integer() < field.minimum || node.integer() > field.maximum) return Misvalued(field, node);
        return node.integer();
      case FieldType::kBoolean:
        if (node.kind() != Node::Kind::kBoolean) return Mistyped(field, node);
        return node.boolean();
      case FieldType::kList:
        return ListValue(field, node);
      case FieldType::kMap:
        return MapValue(field, node);
      case FieldType::kTable:
        if (node.kind() != Node::Kind::kObject) return Mistyped(field, node);
        return Object(*field.tables.front(), nullptr, node);
      case FieldType::kVariant:
        return VariantValue(field, node);
    }
    return nullptr;
  }

 private:
  void Add(const Node& node, PlaceOf place, std::string_view rule, std::string message, std::string hint = {}) {
    AddProblem(document_, node, place, rule, std::move(message), std::move(hint), problems_);
  }

  void Missing(const Node& node, const std::string& name, const std::string& expected) {
    problems_.Add({std::string(kRuleMissing), document_.file(), node.position(), node.Pointer() + "/" + name,
                   "missing: expected " + expected, ""});
  }

  void Unknown(const FieldTable& table, const Field* tag, const Node& member) {
    if (LooksSecret(member.key())) {
      Add(member, PlaceOf::kName, kRuleSecret, "a secret must never stand in a file",
          "take it out, and change that secret: it has been written down");
      return;
    }
    std::vector<std::string> names;
    if (tag != nullptr) names.push_back(tag->name);
    for (const Field& field : table.fields) names.push_back(field.name);
    const std::string nearest = NearestName(member.key(), names);
    Add(member, PlaceOf::kName, kRuleUnknown, "unknown field",
        nearest.empty() ? "known here: " + fmt::format("{}", fmt::join(names, ", "))
                        : "did you mean `" + nearest + "`?");
  }

  void CheckGroup(const std::vector<std::string>& group, const Node& node) {
    std::vector<const Node*> given;
    for (const std::string& name : group) {
      if (const Node* member = node.Find(name); member != nullptr) given.push_back(member);
    }
    if (given.size() == 1) return;
    if (given.empty()) {
      problems_.Add({std::string(kRuleMissing), document_.file(), node.position(), node.Pointer(),
                     "missing: expected " + QuotedList(group), ""});
      return;
    }
    Add(*given[1], PlaceOf::kName, kRuleContradiction,
        fmt::format("expected only one of {}, found `{}` and `{}`", QuotedList(group), given[0]->key(),
                    given[1]->key()));
  }

  json Mistyped(const Field& field, const Node& node) {
    Add(node, PlaceOf::kValue, kRuleType, "expected " + Expected(field) + ", found " + Found(field, node));
    return nullptr;
  }

  json Misvalued(const Field& field, const Node& node, std::string hint = {}) {
    Add(node, PlaceOf::kValue, kRuleValue, "expected " + Expected(field) + ", found " + Found(field, node),
        std::move(hint));
    return nullptr;
  }

  static std::string Found(const Field& field, const Node& node) {
    if (field.quotable || node.kind() != Node::Kind::kText) return node.Describe();
    return fmt::format("a text of {} characters", CountCharacters(node.text()));
  }

  json TextValue(const Field& field, const Node& node) {
    if (node.kind() != Node::Kind::kText) return Mistyped(field, node);
    const std::string& text = node.text();
    if (field.type == FieldType::kChoice) return ChoiceValue(field, node);
    if (field.type == FieldType::kShaped && !field.shape->Matches(text)) return Misvalued(field, node);
    const auto length = static_cast<std::int64_t>(CountCharacters(text));
    if (length < field.minimum || length > field.maximum) {
      if (field.type != FieldType::kShaped) return Misvalued(field, node);
      Add(node, PlaceOf::kValue, kRuleValue,
          fmt::format("expected {} to {} characters, found {}", field.minimum, field.maximum, length));
      return nullptr;
    }
    if (field.type == FieldType::kText || field.type == FieldType::kProse) return LineValue(field, node);
    if (field.type == FieldType::kRegex) {
      if (const auto pattern = Pattern::Parse(text); !pattern.ok()) {
        Add(node, PlaceOf::kValue, kRuleValue, pattern.error().message);
        return nullptr;
      }
    }
    return text;
  }

  json LineValue(const Field& field, const Node& node) {
    const std::string& text = node.text();
    if (field.type == FieldType::kText && text.find('\n') != std::string::npos) {
      Add(node, PlaceOf::kValue, kRuleValue, "expected one line, found a line feed in it");
      return nullptr;
    }
    constexpr std::string_view kBlank = " \n";
    if (kBlank.find(text.front()) != std::string_view::npos || kBlank.find(text.back()) != std::string_view::npos) {
      Add(node, PlaceOf::kValue, kRuleValue, "expected text without spaces at its ends, found " + Found(field, node));
      return nullptr;
    }
    return text;
  }

  json ChoiceValue(const Field& field, const Node& node) {
    std::vector<std::string> names;
    for (const ChoiceName& choice : field.choices) {
      if (choice.name == node.text()) return choice.name;
      names.push_back(choice.name);
    }
    const std::string nearest = field.quotable ? NearestName(node.text(), names) : "";
    return Misvalued(field, node, nearest.empty() ? "" : "did you mean `" + nearest + "`?");
  }

  bool CheckCount(const Field& field, const Node& node) {
    const auto count = static_cast<std::int64_t>(node.children().size());
    if (count >= field.minimum && count <= field.maximum) return true;
    Misvalued(field, node);
    return false;
  }

  json ListValue(const Field& field, const Node& node) {
    if (node.kind() != Node::Kind::kArray) return Mistyped(field, node);
    if (!CheckCount(field, node)) return nullptr;
    json values = json::array();
    std::set<json> seen;
    for (const Node* item : node.children()) {
      json value = Value(*field.item, *item);
      if (field.unique && !value.is_null() && !seen.insert(value).second) {
        Add(*item, PlaceOf::kValue, kRuleSameName,
            "expected items that differ, found " + Found(*field.item, *item) + " twice");
      }
      values.push_back(std::move(value));
    }
    return values;
  }

  json MapValue(const Field& field, const Node& node) {
    if (node.kind() != Node::Kind::kObject) return Mistyped(field, node);
    if (!CheckCount(field, node)) return nullptr;
    json values = json::object();
    for (const Node* member : node.children()) {
      if (!field.shape->Matches(member->key())) {
        if (LooksSecret(member->key())) {
          Add(*member, PlaceOf::kName, kRuleSecret, "a secret must never stand in a file",
              "take it out, and change that secret: it has been written down");
        } else {
          Add(*member, PlaceOf::kName, kRuleValue,
              fmt::format("expected as a name {}, found {}", field.shape->what, Quoted(member->key())));
        }
        continue;
      }
      values[member->key()] = Value(*field.item, *member);
    }
    return values;
  }

  json VariantValue(const Field& field, const Node& node) {
    if (node.kind() != Node::Kind::kObject) return Mistyped(field, node);
    const Node* tag = node.Find(field.tag);
    const bool is_text = tag != nullptr && tag->kind() == Node::Kind::kText;
    std::vector<std::string> names;
    for (const auto& table : field.tables) {
      if (is_text && table->name == tag->text()) return Object(*table, field.item.get(), node);
      names.push_back(table->name);
    }
    if (tag == nullptr) {
      Missing(node, field.tag, QuotedList(names));
      return nullptr;
    }
    const std::string nearest = is_text ? NearestName(tag->text(), names) : "";
    Add(*tag, PlaceOf::kValue, is_text ? kRuleValue : kRuleType,
        "expected " + QuotedList(names) + ", found " + tag->Describe(),
        nearest.empty() ? "" : "did you mean `" + nearest + "`?");
    return nullptr;
  }

  const Document& document_;
  Problems& problems_;
};

void Collect(const Field& field, const json& value, const std::string& pointer, std::vector<ReferenceUse>& out);

void CollectObject(const FieldTable& table, const json& values, const std::string& pointer,
                   std::vector<ReferenceUse>& out) {
  for (const Field& field : table.fields) {
    if (const auto value = values.find(field.name); value != values.end())
      Collect(field, *value, pointer + "/" + field.name, out);
  }
}

void Collect(const Field& field, const json& value, const std::string& pointer, std::vector<ReferenceUse>& out) {
  if (field.refers != Reference::kNone && value.is_string()) {
    out.push_back({field.refers, value.get_ref<const std::string&>(), pointer});
    return;
  }
  switch (field.type) {
    case FieldType::kList:
      for (std::size_t i = 0; i < value.size(); ++i)
        Collect(*field.item, value[i], pointer + "/" + std::to_string(i), out);
      return;
    case FieldType::kMap:
      for (const auto& [name, item] : value.items()) Collect(*field.item, item, pointer + "/" + name, out);
      return;
    case FieldType::kTable:
      CollectObject(*field.tables.front(), value, pointer, out);
      return;
    case FieldType::kVariant:
      for (const auto& table : field.tables) {
        if (value.value(field.tag, "") == table->name) CollectObject(*table, value, pointer, out);
      }
      return;
    default:
      return;
  }
}

// FormatOf says what kind of file a format word belongs to: "a binding".
std::string KindOfFormat(std::string_view format) {
  constexpr std::string_view kPrefix = "keyceremony-";
  const auto slash = format.find('/');
  if (!format.starts_with(kPrefix) || slash == std::string_view::npos) return "";
  return std::string(format.substr(kPrefix.size(), slash - kPrefix.size()));
}

bool CheckFormat(const FieldTable& table, const Document& document, Problems& problems) {
  const Field* field = table.Find("format");
  const Node* node = document.root().Find("format");
  if (field == nullptr || node == nullptr || node->kind() != Node::Kind::kText) return true;  // the table says it
  const std::string& wanted = field->choices.front().name;
  if (node->text() == wanted) return true;
  const std::string kind = KindOfFormat(node->text());
  std::string hint;
  if (!kind.empty() && kind != KindOfFormat(wanted))
    hint = "this file says that it is a " + kind + ", not a " + KindOfFormat(wanted);
  if (kind == KindOfFormat(wanted)) hint = "this program reads version " + wanted.substr(wanted.find('/') + 1);
  AddProblem(document, *node, PlaceOf::kValue, kRuleFormat, "expected \"" + wanted + "\", found " + node->Describe(),
             hint, problems);
  return false;
}

}  // namespace

void AddProblem(const Document& document, const Node& node, PlaceOf place, std::string_view rule, std::string message,
                std::string hint, Problems& problems) {
  problems.Add({std::string(rule), document.file(), place == PlaceOf::kName ? node.key_position() : node.position(),
                node.Pointer(), std::move(message), std::move(hint)});
}

json ParseObject(const FieldTable& table, const Document& document, const Node& node, Problems& problems) {
  return Reader(document, problems).Object(table, nullptr, node);
}

bool ParseFile(const FieldTable& table, const LoadedFile& file, Document& document, json& values, Problems& problems) {
  const std::size_t before = problems.count();
  auto parsed = Document::Parse(file.name, file.bytes, problems);
  if (!parsed.has_value()) return false;
  document = *std::move(parsed);
  if (document.root().kind() != Node::Kind::kObject) {
    AddProblem(document, document.root(), PlaceOf::kValue, kRuleType,
               "expected an object, found " + document.root().Describe(), "", problems);
    return false;
  }
  if (!CheckFormat(table, document, problems)) return false;
  values = ParseObject(table, document, document.root(), problems);
  return problems.count() == before;
}

std::vector<ReferenceUse> ReferencesIn(const FieldTable& table, const json& values) {
  std::vector<ReferenceUse> uses;
  CollectObject(table, values, "", uses);
  return uses;
}

}  // namespace ceremony::script
