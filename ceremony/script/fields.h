// The table of fields: it defines once what an object of an input file may hold.
// One table parses the object strictly (ParseObject), generates its JSON Schema
// (schema.h) and its documentation (reference.h), so the three cannot differ.
//
// A table reads like the documentation it becomes:
//
//   const FieldTable& KeyGenerateFields() {
//     static const FieldTable table{
//         "key.generate",
//         "Makes a key pair on a token.",
//         {Field::Id("token", "the token that makes the key").Refers(Reference::kToken),
//          Field::Id("key", "the key's name in the estate").Refers(Reference::kKey),
//          Field::Choice("algorithm", {{"ec-p256", "EC P-256"}}, "what kind of key"),
//          Field::Boolean("extractable", "whether it may be cloned, wrapped").Default(false)}};
//     return table;
//   }
#ifndef CEREMONY_SCRIPT_FIELDS_H_
#define CEREMONY_SCRIPT_FIELDS_H_

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/pattern.h"
#include "ceremony/script/problems.h"
#include "ceremony/script/strict_json.h"

namespace ceremony::script {

// Shape is a kind of text with its own pattern and its name for people.
struct Shape {
  std::string_view name;  // "id"
  Pattern pattern;
  std::string_view what;                        // "an id (...)", for "expected ..."
  bool (*is_real)(std::string_view) = nullptr;  // a check that no pattern can make, such as the days of a month

  bool Matches(std::string_view text) const { return pattern.Matches(text) && (is_real == nullptr || is_real(text)); }
};
// Shapes lists those below, for documents.
std::vector<const Shape*> Shapes();
const Shape& IdShape();            // [a-z0-9][a-z0-9._-]{0,63}: tokens, keys, people, steps
const Shape& KindShape();          // "key.generate"
const Shape& DigestShape();        // SHA-256, 64 lowercase digits
const Shape& TimeShape();          // 2026-11-21T05:17:45Z, and the day must exist
const Shape& DateShape();          // 2026-11-21, and the day must exist
const Shape& PathShape();          // relative, `/` between parts, no part that begins with a dot
const Shape& AbsolutePathShape();  // begins with `/`, no `.` or `..` part
const Shape& Base64Shape();        // RFC 4648 section 4, padded, strictly
const Shape& OidShape();           // 1.2.826.0.1
const Shape& HexShape();           // pairs of lowercase digits
const Shape& VersionShape();       // 1.0, 2026.1, 1.0-draft3
const Shape& VariableShape();      // an environment variable: [A-Z_][A-Z0-9_]*
const Shape& RuleShape();          // a rule id: KEY-ATTR-02

enum class FieldType : std::uint8_t {
  kText,     // one line of visible characters, 1..200 unless Length says otherwise
  kProse,    // the same, line feeds allowed, 1..4000
  kShaped,   // text of a Shape
  kRegex,    // text that is a Pattern
  kInteger,  // minimum..maximum
  kBoolean,
  kChoice,   // one of `choices`
  kList,     // minimum..maximum of `item`
  kMap,      // minimum..maximum names of `key_shape`, each with an `item`
  kTable,    // an object of `tables[0]`
  kVariant,  // an object of the table that the text in its member `tag` names
};

enum class Presence : std::uint8_t { kRequired, kOptional };

// What a name in a field refers to. The script reader checks names that a
// script defines (token, profile, quorum in the sense of the policy's files);
// the estate model checks keys, certificates and artefacts.
enum class Reference : std::uint8_t { kNone, kToken, kProfile, kQuorum, kKey, kArtefact, kFile };

struct FieldTable;

// One word of a kChoice.
struct ChoiceName {
  std::string name;
  std::string help;
};

struct Field {
  std::string name;
  FieldType type = FieldType::kText;
  std::string help;  // part of a sentence, lower case, no full stop
  Presence presence = Presence::kRequired;
  std::string default_json;  // JSON text; filled in when the field is absent
  std::string example_json;  // JSON text
  std::int64_t minimum = 0;  // of an integer, or of a length or count
  std::int64_t maximum = 0;
  const Shape* shape = nullptr;  // of kShaped; of the names of a kMap
  bool unique = false;           // kList: no two items equal
  bool quotable = true;          // false: messages never repeat what was found
  Reference refers = Reference::kNone;
  std::vector<ChoiceName> choices;
  std::shared_ptr<const Field> item;
  std::string tag;
  std::vector<std::shared_ptr<const FieldTable>> tables;

  // Each makes a required field.
  static Field Text(std::string name, std::string help);
  static Field Prose(std::string name, std::string help);
  static Field Shaped(std::string name, const Shape& shape, std::string help);
  static Field Id(std::string name, std::string help);
  static Field Digest(std::string name, std::string help);
  static Field Time(std::string name, std::string help);
  static Field Date(std::string name, std::string help);
  static Field Path(std::string name, std::string help);  // relative to the folder of the file it stands in
  static Field Regex(std::string name, std::string help);
  static Field Integer(std::string name, std::int64_t minimum, std::int64_t maximum, std::string help);
  static Field Boolean(std::string name, std::string help);
  static Field Choice(std::string name, std::vector<ChoiceName> choices, std::string help);
  // The item's own name is not used; its help is.
  static Field List(std::string name, Field item, std::int64_t minimum, std::int64_t maximum, std::string help);
  static Field Map(std::string name, const Shape& names, Field item, std::int64_t minimum, std::int64_t maximum,
                   std::string help);
  static Field Table(std::string name, FieldTable table, std::string help);
  // The object's member `tag` (described by this; each table's name is one of
  // its words) chooses the table. The tables do not list the tag themselves.
  static Field Variant(std::string name, Field tag, std::vector<FieldTable> tables, std::string help);

  // Each returns the field with one part changed.
  Field Optional() &&;
  Field Default(const char* text) &&;  // Default makes the field optional, too
  Field Default(bool value) &&;
  Field Default(std::int64_t value) &&;
  Field Default(int value) &&;
  Field DefaultJson(std::string json) &&;  // of lists, maps and tables
  Field Example(std::string json) &&;      // JSON text, quotation marks included
  Field Length(std::int64_t least, std::int64_t most) &&;
  Field Refers(Reference reference) &&;
  Field Unique() &&;
  Field Unquotable() &&;
};

struct FieldTable {
  std::string name;  // "script", "step", "key.generate"
  std::string help;  // a sentence
  std::vector<Field> fields;
  // Of each group exactly one field must be given; its fields are optional ones.
  std::vector<std::vector<std::string>> exactly_one_of;

  const Field* Find(std::string_view field) const;
};

// The format word of a file: the member "format" must hold exactly this
// ("keyceremony-script/1"); it is the first field of every file's table.
Field FormatField(std::string format);

// ParseObject reads `node` by the table and returns its checked values. Defaults
// are filled in; optional fields that are absent stay absent. It adds everything
// that is wrong to `problems`; the returned values are then incomplete and must
// not be used.
nlohmann::json ParseObject(const FieldTable& table, const Document& document, const Node& node, Problems& problems);

// ParseFile reads a whole file by its table; false if anything is wrong. A file
// with another "format" is refused for that alone (INPUT-13). `document` is set
// as soon as the file is JSON, for further checks.
bool ParseFile(const FieldTable& table, const LoadedFile& file, Document& document, nlohmann::json& values,
               Problems& problems);

// AddProblem adds a problem at the place of `node`, or at the place of its name
// if the name is wrong.
enum class PlaceOf : std::uint8_t { kValue, kName };
void AddProblem(const Document& document, const Node& node, PlaceOf place, std::string_view rule, std::string message,
                std::string hint, Problems& problems);

// ReferenceUse is one name that stands in the values of an object.
struct ReferenceUse {
  Reference reference;
  std::string name;
  std::string pointer;  // JSON pointer below the object
};
// ReferencesIn lists the names in values that ParseObject returned.
std::vector<ReferenceUse> ReferencesIn(const FieldTable& table, const nlohmann::json& values);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_FIELDS_H_
