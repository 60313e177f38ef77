#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "ceremony/script/expected.h"
#include "ceremony/script/schema.h"

namespace ceremony::script {
namespace {

// A table cell of Markdown: a bar would end it.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c == '\n' ? ' ' : c;
  }
  return cell;
}

// A shape that many files share is explained once.
std::string ShapeWords(const Shape& shape) {
  const auto shared = Shapes();
  const bool is_shared = std::find(shared.begin(), shared.end(), &shape) != shared.end();
  return is_shared ? "*" + std::string(shape.name) + "*" : std::string(shape.what);
}

std::string TypeWords(const Field& field) {
  switch (field.type) {
    case FieldType::kChoice: {
      std::string words;
      for (const ChoiceName& choice : field.choices) words += (words.empty() ? "`" : ", `") + choice.name + "`";
      return words;
    }
    case FieldType::kList:
      return fmt::format("list of {} to {}: {}", field.minimum, field.maximum, TypeWords(*field.item));
    case FieldType::kMap:
      return fmt::format("object, {} to {} names, each {}: {}", field.minimum, field.maximum, ShapeWords(*field.shape),
                         TypeWords(*field.item));
    case FieldType::kTable:
      return "object, see *" + field.tables.front()->name + "*";
    case FieldType::kVariant:
      return "object, see *" + field.name + "*";
    default:
      return Expected(field);
  }
}

// Common lists the fields that every table of a variant has, in order.
std::vector<Field> Common(const Field& variant) {
  std::vector<Field> common;
  if (variant.tables.empty()) return common;
  for (const Field& field : variant.tables.front()->fields) {
    const bool is_everywhere = std::all_of(variant.tables.begin(), variant.tables.end(),
                                           [&](const auto& table) { return table->Find(field.name) != nullptr; });
    if (is_everywhere && variant.tables.size() > 1) common.push_back(field);
  }
  return common;
}

class Writer final {
 public:
  std::string Write(const FieldTable& table) {
    pending_.push_back(table);
    for (std::size_t i = 0; i < pending_.size(); ++i) One(FieldTable(pending_[i]));
    return text_;
  }

 private:
  void One(const FieldTable& table) {
    if (!text_.empty()) text_ += '\n';
    text_ += "### " + table.name + "\n\n" + table.help + "\n";
    if (table.fields.empty()) return;
    text_ += "\n| field | value | says |\n| --- | --- | --- |\n";
    for (const Field& field : table.fields) Row(field);
    for (const auto& group : table.exactly_one_of) text_ += "\nExactly one of " + QuotedList(group) + " is given.\n";
  }

  void Row(const Field& field) {
    std::string says = field.help;
    if (field.presence == Presence::kOptional) {
      says += field.default_json.empty() ? "; may be left out" : "; left out: `" + field.default_json + "`";
    }
    if (!field.example_json.empty()) says += "; for example `" + field.example_json + "`";
    text_ += fmt::format("| `{}` | {} | {} |\n", field.name, Cell(TypeWords(field)), Cell(says));
    for (const Field* part = &field; part != nullptr; part = part->item.get()) Follow(*part);
  }

  void Follow(const Field& field) {
    if (field.type != FieldType::kVariant) {
      for (const auto& table : field.tables) Want(*table);
      return;
    }
    // What all have in common stands once, under the variant's own name.
    FieldTable every{field.name, "Every one of these has a `" + field.tag + "`, and:", Common(field), {}};
    Want(every);
    for (const auto& table : field.tables) {
      FieldTable own = *table;
      std::erase_if(own.fields, [&](const Field& each) { return every.Find(each.name) != nullptr; });
      Want(std::move(own));
    }
  }

  void Want(FieldTable table) {
    if (seen_.insert(table.name).second) pending_.push_back(std::move(table));
  }

  std::string text_;
  std::vector<FieldTable> pending_;
  std::set<std::string> seen_;
};

}  // namespace

std::string GenerateReference(const FieldTable& table) { return Writer().Write(table); }

std::string GenerateShapes() {
  std::string text = "| text | is | pattern |\n| --- | --- | --- |\n";
  for (const Shape* shape : Shapes()) {
    text += fmt::format("| *{}* | {} | `{}` |\n", shape->name, Cell(shape->what), Cell(shape->pattern.text()));
  }
  return text;
}

}  // namespace ceremony::script
