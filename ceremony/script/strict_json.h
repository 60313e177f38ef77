// Strict reading of the JSON files that people write: script, binding, policy,
// profile, roster. The syntax is nlohmann's. This reader adds the position of each
// value, and refuses what two readers could understand differently.
//
// Refused beyond RFC 8259: a byte order mark, bytes after the value, a name
// given twice in one object, nesting deeper than 32, numbers that are not
// integers of at most 2^53-1 (and `-0`), invisible characters
// (base::IsInvisible), files above 4 MiB or 200,000 values.
#ifndef CEREMONY_SCRIPT_STRICT_JSON_H_
#define CEREMONY_SCRIPT_STRICT_JSON_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/problems.h"
#include "hsm/base/result.h"

namespace ceremony::script {

inline constexpr std::size_t kMaxFileBytes = 4U << 20U;
inline constexpr std::size_t kMaxNesting = 32;
inline constexpr std::size_t kMaxValues = 200'000;
inline constexpr std::int64_t kMaxInteger = (std::int64_t{1} << 53) - 1;

// Node is one value of a document, in file order. It lives as long as its Document.
class Node final {
 public:
  enum class Kind : std::uint8_t { kNull, kBoolean, kInteger, kText, kArray, kObject };

  Kind kind() const { return kind_; }
  Position position() const { return position_; }          // of the value's first character
  Position key_position() const { return key_position_; }  // of its name; that of the value in an array
  const std::string& key() const { return key_; }          // its name in the object around it, else empty
  bool boolean() const { return integer_ != 0; }
  std::int64_t integer() const { return integer_; }
  const std::string& text() const { return text_; }
  const std::vector<const Node*>& children() const { return children_; }  // of an array or object

  // Find returns the member of that name, nullptr when there is none.
  const Node* Find(std::string_view name) const;

  // Pointer is the RFC 6901 JSON pointer from the document's root, which is "".
  std::string Pointer() const;

  // Describe spells the value for "found ...": `the text "abc"`, `the integer 5`,
  // `a list of 3`, `an object`. Long text is cut at 40 characters.
  std::string Describe() const;

 private:
  friend class TreeBuilder;
  Kind kind_ = Kind::kNull;
  Position position_;
  Position key_position_;
  std::string key_;
  std::string text_;
  std::int64_t integer_ = 0;
  std::size_t index_ = 0;
  const Node* parent_ = nullptr;
  std::vector<const Node*> children_;
};

// LoadedFile is a file as it was read, once: the bytes that were parsed are the
// bytes that were hashed.
struct LoadedFile {
  std::string path;    // where it was found
  std::string name;    // how messages and the record call it: the last part of the path, or the reference
  std::string bytes;   // all of it
  std::string sha256;  // of the bytes, 64 lowercase digits
};

// LoadFile reads a regular file of at most kMaxFileBytes (INPUT-06 when it is
// larger, INPUT-08 when it is not there, not readable or not a regular file).
base::Result<LoadedFile> LoadFile(const std::string& path);

// Document owns the nodes of one parsed file. Copies share them. One made by
// default is empty: it has no root.
class Document final {
 public:
  Document() = default;
  // Parse reads `bytes`; `file` is the name that messages use. Names given twice
  // are all reported; a syntax error ends the reading. On any problem there is
  // no document.
  static std::optional<Document> Parse(std::string file, std::string_view bytes, Problems& problems);

  const Node& root() const { return *root_; }
  const std::string& file() const { return *file_; }

  // Where is "file:line:column: /pointer" of a node, as messages begin.
  std::string Where(const Node& node) const;

 private:
  std::shared_ptr<const std::string> file_;
  std::shared_ptr<const std::deque<Node>> nodes_;
  const Node* root_ = nullptr;
};

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_STRICT_JSON_H_
