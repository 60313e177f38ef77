// Scanner checks one line of a record against the strict profile of
// docs/record-format.md section 2 and hands out its members, in one pass over
// the bytes. It is the only reader of entries: no second parser can disagree
// with it about what a line says.
//
// A line is accepted only if it is byte for byte the canonical form (RFC 8785)
// of one JSON object within the profile. The caller has hashed the stored
// bytes before it asks: a fault never changes what was hashed.
#ifndef CEREMONY_RECORD_SCANNER_H_
#define CEREMONY_RECORD_SCANNER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/entry.h"

namespace ceremony::record {

// What is wrong with a line. RuleOf (rules.h) gives each its rule id.
enum class LineFault : std::uint8_t {
  kNone,
  kSize,       // not 2..65535 bytes
  kSyntax,     // not JSON, or white space, or bytes after the object
  kControl,    // a raw control character or U+007F (CR and NUL among them)
  kUtf8,       // not UTF-8: overlong, surrogate, beyond U+10FFFF or cut short
  kEscape,     // an escape that is not the minimal one
  kNesting,    // more than 16 levels
  kKey,        // a key outside [A-Za-z0-9_.-]+
  kDuplicate,  // a key twice in one object
  kOrder,      // keys not in ascending byte order
  kNumber,     // not an integer, -0, a leading zero, or beyond 2^53 - 1
  kRequired,   // a common field is missing
  kForm,       // a common field's value does not have its form
  kType,       // a `type` that no table of ours has
};

// Member is one member of the outermost object: its key and the raw JSON text
// of its value (strings with their quotes). Both point into the line.
struct Member {
  std::string_view key;
  std::string_view value;
  std::uint64_t order;  // KeyOrder(key)
};

// KeyOrder is the first eight bytes of a key as a number, so that one
// comparison orders nearly every two keys: as keys hold no NUL, the zeros
// behind a shorter one put it first. Equal orders say nothing about the rest of
// keys beyond eight bytes.
constexpr std::uint64_t KeyOrder(std::string_view key) {
  std::uint64_t order = 0;
  for (std::size_t i = 0; i < 8; ++i) order = order << 8 | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0u);
  return order;
}

// HasKey is `member.key == key`, mostly without looking at the bytes again.
inline bool HasKey(const Member& member, std::string_view key, std::uint64_t order) {
  return member.order == order && member.key.size() == key.size() && (key.size() <= 8 || member.key == key);
}

// EntryFields are the required members of an entry, checked and decoded. The
// views point into the line and carry no quotes.
struct EntryFields {
  std::uint64_t seq = 0;
  std::uint64_t mono = 0;  // microseconds
  std::string_view time;   // 27 characters
  EntryType type = EntryType::kOpen;
  Mode mode = Mode::kRehearsal;
};

// Scanner keeps its buffers between lines; one thread at a time. After a fault
// fields and members are unspecified.
class Scanner final {
 public:
  // ScanEntry checks a stored line (without its LF) as an entry: the profile,
  // the common fields and that its type is in the table of entry.h.
  LineFault ScanEntry(std::string_view line);

  // ScanObject checks a JSON object by the same profile but without the
  // required keys: the evidence line of the addendum, or a nested object of a
  // line that was accepted.
  LineFault ScanObject(std::string_view text);

  const EntryFields& fields() const { return fields_; }
  const std::vector<Member>& members() const { return members_; }
  // incomplete_field names a required field of this type (entry.h) that is missing, or
  // is of another kind; empty when there is none. Callers that need the field decide
  // whether it matters.
  std::string_view incomplete_field() const { return incomplete_field_; }
  // fault_offset is the byte at which the last fault was seen.
  std::size_t fault_offset() const { return fault_offset_; }

  // Find returns the raw value of a member, empty when it is missing.
  std::string_view Find(std::string_view key) const { return Find(key, KeyOrder(key)); }
  std::string_view Find(std::string_view key, std::uint64_t order) const;

 private:
  LineFault CheckFields(std::string_view line);
  bool IsGoodTime(std::string_view text);

  EntryFields fields_;
  std::vector<Member> members_;
  std::string_view incomplete_field_;
  std::array<char, 20> good_second_{};  // date and time of the last good entry, up to the full stop
  std::size_t fault_offset_ = 0;
};

// The decoders below take a raw value out of an accepted line; nullopt says
// that the value is of another kind.
std::optional<std::string> DecodeString(std::string_view value);
std::optional<std::int64_t> DecodeInteger(std::string_view value);
// PlainString returns the characters of a string that has no escapes.
std::optional<std::string_view> PlainString(std::string_view value);
// DecodeArray splits an array into the raw values of its elements.
std::optional<std::vector<std::string_view>> DecodeArray(std::string_view value);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_SCANNER_H_
