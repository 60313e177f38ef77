// The entry vocabulary of a record and the one spelling of an entry (the
// profile of RFC 8785 in docs/record-format.md section 2).
//
// An entry is one JSON object; its stored bytes are its JCS form without the
// LF that ends the line. This header defines what an entry may look like; writer.h
// writes entries, scanner.h reads them back without trust.
#ifndef CEREMONY_RECORD_ENTRY_H_
#define CEREMONY_RECORD_ENTRY_H_

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "hsm/base/result.h"

namespace ceremony::record {

inline constexpr std::int64_t kFormatVersion = 1;             // `v`
inline constexpr std::size_t kMinLineBytes = 2;               // without the LF
inline constexpr std::size_t kMaxLineBytes = 65535;           // without the LF
inline constexpr int kMaxNesting = 16;                        // the entry's own object is level 1
inline constexpr std::int64_t kMaxInteger = (1LL << 53) - 1;  // |n| of a JSON number
inline constexpr std::size_t kSaltBytes = 16;                 // 32 hex digits

// Names of the files of a record (section 1), relative to its folder.
inline constexpr std::string_view kLogFile = "log.jsonl";
inline constexpr std::string_view kCheckpointFile = "checkpoint";
inline constexpr std::string_view kAddendumFile = "addendum.note";
inline constexpr std::string_view kPolicyFile = "policy.txt";
inline constexpr std::string_view kDisclosuresFile = "disclosures.jsonl";
inline constexpr std::string_view kInputsFolder = "inputs";
inline constexpr std::string_view kArtefactsFolder = "artefacts";
inline constexpr std::string_view kTornPrefix = "torn-";  // then the SHA-256 of the file, 64 hex digits
// A file with this ending was being written when the program stopped. It is not part
// of the record; recovery removes or finishes it.
inline constexpr std::string_view kPartialSuffix = ".partial";

// Mode says whether the keys of a ceremony are real.
enum class Mode : std::uint8_t { kRehearsal, kProduction };
std::string_view ModeName(Mode mode);  // "rehearsal", "production"

enum class EntryType : std::uint8_t {
  kOpen,
  kAttend,
  kDepart,
  kStep,
  kRequest,
  kCosign,
  kIntent,
  kDone,
  kObserve,
  kArtefact,
  kNote,
  kDeviation,
  kRefusal,
  kCheckpoint,
  kRecover,
  kClose,
};

// What the value of a required field must be. kText is a string, kPhase one of
// the words of IsPhase, kObjectOrNull an object or null; the others are what
// they are called.
enum class FieldKind : std::uint8_t { kText, kPhase, kInteger, kObject, kArray, kObjectOrNull };
std::string_view KindWords(FieldKind kind);  // "a string"

// RequiredField is a field that every entry of a type has, or, when `phase` is
// not empty, every entry of that type with that value of its field `phase`.
struct RequiredField {
  std::string_view name;
  FieldKind kind;
  std::string_view phase = {};
};

// EntryTypeFacts is the one table of entry types; writer, recovery and
// verifier read it.
struct EntryTypeFacts {
  EntryType type;
  std::string_view name;                  // value of `type`
  bool may_be_withheld;                   // section 6: a public bundle may give the leaf hash alone
  std::span<const RequiredField> fields;  // besides the common fields
};
std::span<const EntryTypeFacts> EntryTypes();
const EntryTypeFacts& FactsOf(EntryType type);
// FindEntryType returns nullptr for a name that is not in the table.
const EntryTypeFacts* FindEntryType(std::string_view name);

// CommonFields are the fields that every entry has: v, seq, type, time, mono,
// salt, mode. The writer sets them; no caller may.
std::span<const RequiredField> CommonFields();

// Canonicalise returns the JCS form of an entry, without LF. kInvalidInput
// with the JSON pointer of the field, what was found and what the profile
// wants, for: not an object; a key outside [A-Za-z0-9_.-]+; a number that is
// not an integer or beyond 2^53-1; a string that is not UTF-8 or holds U+007F;
// nesting beyond 16; a line beyond 65535 bytes. An escaped U+0000 is allowed.
base::Result<std::string> Canonicalise(const nlohmann::json& entry);

// CanonicaliseInto writes into a buffer that is reused. After a failure its content is
// unspecified.
base::Result<void> CanonicaliseInto(const nlohmann::json& entry, std::string& out);

// CanonicaliseValue returns the JCS form of any value (an array, a subject)
// under the same profile; levels count from the value itself.
base::Result<std::string> CanonicaliseValue(const nlohmann::json& value);

// ParseEntry reads stored bytes (without LF) that Scanner accepts as an entry, so that
// no two readers of ours disagree about a line. kCorrupt with the rule otherwise. A
// required field of its type may be missing or of another kind, as in
// Scanner::incomplete_field.
base::Result<nlohmann::json> ParseEntry(std::string_view line);

// IsTime accepts what `time` may be: a microsecond that exists, RFC 3339 in UTC,
// 27 characters. There is no second 60: CLOCK_REALTIME, which writes it, has none.
bool IsTime(std::string_view text);
// IsPhase accepts the phases of a step: begin, end, skipped, failed.
bool IsPhase(std::string_view text);

// NewSalt returns 16 random bytes as 32 hex digits. Without a salt, a withheld entry
// could be guessed from its leaf hash.
std::string NewSalt();

// IsSafeName accepts a component of a path in a record: letters, digits, `_`, `-`,
// `.`, not starting with `.` or `-`, at most 128 bytes. So a path means the same to a
// shell, to sha256sum and to every file system.
bool IsSafeName(std::string_view name);
// IsSafePath accepts components joined by single `/`, relative, at most 8.
bool IsSafePath(std::string_view path);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_ENTRY_H_
