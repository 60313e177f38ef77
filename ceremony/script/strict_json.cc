#include "ceremony/script/strict_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "ceremony/script/visible_text.h"

namespace ceremony::script {
namespace {

constexpr std::size_t kMaxNameBytes = 128;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Cursor finds where tokens begin. nlohmann's reader calls back without saying
// where it stands, but it calls once a token, after the token was read and found
// good; so walking the same bytes token by token needs no syntax of its own.
class Cursor final {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  Position position() const { return position_; }
  std::size_t offset() const { return offset_; }

  void SkipSpace() {
    while (offset_ < bytes_.size() && IsSpace(bytes_[offset_])) Step();
  }

  // Next goes to the next token that is a value, a name or a bracket, and over
  // it; it returns the token's bytes, position() is left at its beginning.
  std::string_view Next() {
    if (pending_ > 0) Over(pending_);
    while (offset_ < bytes_.size() && (IsSpace(bytes_[offset_]) || bytes_[offset_] == ',' || bytes_[offset_] == ':'))
      Step();
    pending_ = TokenLength();
    return bytes_.substr(offset_, pending_);
  }

  // SeekError goes to the token that ends at or after byte number `end`.
  void SeekError(std::size_t end) {
    if (pending_ > 0 && offset_ + pending_ >= end) return;  // two tokens without a space, such as 01
    if (pending_ > 0) Over(pending_);
    pending_ = 0;
    while (true) {
      SkipSpace();
      if (offset_ >= bytes_.size()) return;
      const std::size_t length = TokenLength();
      if (offset_ + length >= end) return;
      Over(length);
    }
  }

  // SeekByte goes to the byte at `offset`, not back.
  void SeekByte(std::size_t offset) {
    pending_ = 0;
    while (offset_ < std::min(offset, bytes_.size())) Step();
  }

 private:
  void Step() {
    const auto byte = static_cast<unsigned char>(bytes_[offset_]);
    ++offset_;
    if (byte == '\n') {
      ++position_.line;
      position_.column = 1;
    } else if (offset_ >= bytes_.size() || (static_cast<unsigned char>(bytes_[offset_]) & 0xC0U) != 0x80U) {
      ++position_.column;  // the next byte begins a character
    }
  }

  void Over(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) Step();
    pending_ = 0;
  }

  std::size_t TokenLength() const {
    if (offset_ >= bytes_.size()) return 0;
    const char first = bytes_[offset_];
    std::size_t end = offset_ + 1;
    if (first == '"') {
      while (end < bytes_.size() && bytes_[end] != '"' && bytes_[end] != '\n') end += bytes_[end] == '\\' ? 2U : 1U;
      return std::min(end + 1, bytes_.size()) - offset_;
    }
    constexpr std::string_view kAlone = "{}[],:";
    if (kAlone.find(first) != std::string_view::npos) return 1;
    while (end < bytes_.size() && !IsSpace(bytes_[end]) && kAlone.find(bytes_[end]) == std::string_view::npos) ++end;
    return end - offset_;
  }

  std::string_view bytes_;
  std::size_t offset_ = 0;
  std::size_t pending_ = 0;
  Position position_{1, 1};
};

// WithoutReading cuts nlohmann's "; last read: '...'": what was read may be a secret.
std::string SyntaxWords(std::string message) {
  if (const auto start = message.find("syntax error while parsing "); start != std::string::npos) {
    message.erase(0, start + std::string_view("syntax error while parsing ").size());
  }
  std::string context;
  if (const auto dash = message.find(" - "); dash != std::string::npos) {
    context = message.substr(0, dash);
    message.erase(0, dash + 3);
  }
  if (const auto read = message.find("; last read: '"); read != std::string::npos) {
    const auto expected = message.rfind("'; expected ");
    message = message.substr(0, read) +
              (expected == std::string::npos || expected < read ? "" : message.substr(expected + 1));
  }
  return context.empty() ? message : message + " while reading " + context;
}

std::string EscapedForPointer(std::string_view key) {
  std::string escaped;
  for (const char c : key) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace

// TreeBuilder takes nlohmann's events and makes nodes of them.
class TreeBuilder final {
 public:
  TreeBuilder(std::string file, std::string_view bytes, Problems& problems)
      : file_(std::move(file)), cursor_(bytes), problems_(problems) {}

  bool null() {
    cursor_.Next();
    return Attach(Node::Kind::kNull) != nullptr;
  }
  bool boolean(bool value) {
    cursor_.Next();
    Node* node = Attach(Node::Kind::kBoolean);
    if (node != nullptr) node->integer_ = value ? 1 : 0;
    return node != nullptr;
  }
  bool number_integer(std::int64_t value) { return Number(value, value >= -kMaxInteger); }
  bool number_unsigned(std::uint64_t value) {
    const bool fits = value <= static_cast<std::uint64_t>(kMaxInteger);
    return Number(fits ? static_cast<std::int64_t>(value) : 0, fits);
  }
  bool number_float(double /*value*/, const std::string& /*text*/) { return Number(0, false); }
  bool string(std::string& value) {
    cursor_.Next();
    Node* node = Attach(Node::Kind::kText);
    if (node == nullptr) return false;
    CheckVisible(value, *node);
    node->text_ = std::move(value);
    return true;
  }
  bool binary(std::vector<std::uint8_t>& /*value*/) { return false; }  // not in JSON text
  bool start_object(std::size_t /*count*/) { return Open(Node::Kind::kObject); }
  bool start_array(std::size_t /*count*/) { return Open(Node::Kind::kArray); }
  bool end_object() { return Close(); }
  bool end_array() { return Close(); }

  bool key(std::string& value) {
    cursor_.Next();
    Level& level = levels_.back();
    if (value.size() > kMaxNameBytes) {
      Add(kRuleSize, level.node->Pointer(),
          fmt::format("expected names of at most {} bytes, found one of {}", kMaxNameBytes, value.size()));
      return false;
    }
    CheckVisible(value, *level.node);
    key_position_ = cursor_.position();
    const auto [first, is_new] = level.names.emplace(value, key_position_);
    if (!is_new) {
      Add(kRuleTwice, level.node->Pointer() + "/" + EscapedForPointer(value),
          fmt::format("given twice, first in line {}, column {}", first->second.line, first->second.column));
    }
    key_ = std::move(value);
    return true;
  }

  bool parse_error(std::size_t byte, const std::string& /*token*/, const nlohmann::json::exception& exception) {
    const std::string what = exception.what();
    constexpr int kNumberOverflow = 406;  // larger than a double: still a number, and refused as one
    if (exception.id == kNumberOverflow) {
      Number(0, false);
      return false;
    }
    if (root_ != nullptr && levels_.empty()) {
      cursor_.SeekError(byte);
      Add(kRuleSyntax, "", "expected the end of the file after its value, found more");
      return false;
    }
    if (what.find("invalid string") != std::string::npos && byte > 0) {
      cursor_.SeekByte(byte - 1);
    } else {
      cursor_.SeekError(byte);
    }
    Add(kRuleSyntax, levels_.empty() ? "" : levels_.back().node->Pointer(), "not JSON: " + SyntaxWords(what));
    return false;
  }

  std::shared_ptr<const std::deque<Node>> TakeNodes() {
    return std::make_shared<const std::deque<Node>>(std::move(nodes_));
  }
  const Node* root() const { return root_; }

 private:
  struct Level {
    Node* node;
    std::map<std::string, Position> names;
  };

  void Add(std::string_view rule, std::string pointer, std::string message) {
    problems_.Add({std::string(rule), file_, cursor_.position(), std::move(pointer), std::move(message), ""});
  }

  void CheckVisible(const std::string& text, const Node& node) {
    if (const auto character = FirstInvisible(text); character.has_value()) {
      Add(kRuleValue, node.Pointer(),
          fmt::format("expected visible characters, found U+{:04X}", static_cast<std::uint32_t>(*character)));
    }
  }

  bool Number(std::int64_t value, bool is_good) {
    const std::string_view token = cursor_.Next();
    Node* node = Attach(Node::Kind::kInteger);
    if (node == nullptr) return false;
    if (!is_good || token == "-0") {
      constexpr std::size_t kShown = 40;
      Add(kRuleValue, node->Pointer(),
          fmt::format("expected an integer of at most {} either side of 0, found {}{}", kMaxInteger,
                      token.substr(0, kShown), token.size() > kShown ? "..." : ""));
    }
    node->integer_ = value;
    return true;
  }

  Node* Attach(Node::Kind kind) {
    if (nodes_.size() >= kMaxValues) {
      Add(kRuleSize, "", fmt::format("expected at most {} values, found more", kMaxValues));
      return nullptr;
    }
    Node& node = nodes_.emplace_back();
    node.kind_ = kind;
    node.position_ = cursor_.position();
    node.key_position_ = node.position_;
    if (levels_.empty()) {
      root_ = &node;
      return &node;
    }
    Node& parent = *levels_.back().node;
    node.parent_ = &parent;
    node.index_ = parent.children_.size();
    if (parent.kind_ == Node::Kind::kObject) {
      node.key_ = std::move(key_);
      node.key_position_ = key_position_;
    }
    parent.children_.push_back(&node);
    return &node;
  }

  bool Open(Node::Kind kind) {
    cursor_.Next();
    Node* node = Attach(kind);
    if (node == nullptr) return false;
    levels_.push_back({node, {}});
    if (levels_.size() > kMaxNesting) {
      Add(kRuleSize, "", fmt::format("expected at most {} levels of lists and objects, found more", kMaxNesting));
      return false;
    }
    return true;
  }

  bool Close() {
    cursor_.Next();
    levels_.pop_back();
    return true;
  }

  std::string file_;
  Cursor cursor_;
  Problems& problems_;
  std::deque<Node> nodes_;
  const Node* root_ = nullptr;
  std::vector<Level> levels_;
  std::string key_;
  Position key_position_;
};

const Node* Node::Find(std::string_view name) const {
  if (kind_ != Kind::kObject) return nullptr;
  const auto found =
      std::find_if(children_.begin(), children_.end(), [&](const Node* child) { return child->key_ == name; });
  return found == children_.end() ? nullptr : *found;
}

std::string Node::Pointer() const {
  if (parent_ == nullptr) return "";
  const std::string last = parent_->kind_ == Kind::kObject ? EscapedForPointer(key_) : std::to_string(index_);
  return parent_->Pointer() + "/" + last;
}

std::string Node::Describe() const {
  switch (kind_) {
    case Kind::kNull:
      return "null";
    case Kind::kBoolean:
      return integer_ != 0 ? "true" : "false";
    case Kind::kInteger:
      return fmt::format("the integer {}", integer_);
    case Kind::kText:
      return "the text " + Quoted(text_);
    case Kind::kArray:
      return fmt::format("a list of {}", children_.size());
    case Kind::kObject:
      return "an object";
  }
  return "something else";
}

std::optional<Document> Document::Parse(std::string file, std::string_view bytes, Problems& problems) {
  const std::size_t problems_before = problems.count();
  if (bytes.size() > kMaxFileBytes) {
    problems.Add({std::string(kRuleSize),
                  std::move(file),
                  {},
                  "",
                  fmt::format("expected at most {} bytes, found {}", kMaxFileBytes, bytes.size()),
                  ""});
    return std::nullopt;
  }
  if (bytes.starts_with(kByteOrderMark)) {
    problems.Add({std::string(kRuleSyntax),
                  std::move(file),
                  {1, 1},
                  "",
                  "expected a value, found a byte order mark",
                  "save the file as UTF-8 without a byte order mark"});
    return std::nullopt;
  }
  // nlohmann takes a NUL for the end of its input and would not see what follows.
  if (const auto nul = bytes.find('\0'); nul != std::string_view::npos) {
    Cursor cursor(bytes);
    cursor.SeekByte(nul);
    problems.Add(
        {std::string(kRuleSyntax), std::move(file), cursor.position(), "", "expected text, found a NUL byte", ""});
    return std::nullopt;
  }
  TreeBuilder builder(file, bytes, problems);
  const bool is_read = nlohmann::json::sax_parse(bytes.begin(), bytes.end(), &builder,
                                                 nlohmann::json::input_format_t::json, true, false);
  if (!is_read || problems.count() > problems_before) return std::nullopt;
  Document document;
  document.file_ = std::make_shared<const std::string>(std::move(file));
  document.root_ = builder.root();
  document.nodes_ = builder.TakeNodes();
  return document;
}

std::string Document::Where(const Node& node) const {
  std::string where = fmt::format("{}:{}:{}", file(), node.position().line, node.position().column);
  const std::string pointer = node.Pointer();
  return pointer.empty() ? where : where + ": " + pointer;
}

}  // namespace ceremony::script
