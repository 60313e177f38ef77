#include "ceremony/record/entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "ceremony/record/characters.h"
#include "ceremony/record/rules.h"
#include "ceremony/record/scanner.h"
#include "hsm/base/random.h"
#include "hsm/base/utf8.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;
using nlohmann::json;

constexpr std::array<RequiredField, 7> kCommonFields = {{
    {"v", FieldKind::kInteger},
    {"seq", FieldKind::kInteger},
    {"type", FieldKind::kText},
    {"time", FieldKind::kText},
    {"mono", FieldKind::kInteger},
    {"salt", FieldKind::kText},
    {"mode", FieldKind::kText},
}};

constexpr std::array<RequiredField, 8> kOpenFields = {{
    {"origin", FieldKind::kText},
    {"ceremony", FieldKind::kText},
    {"log_key", FieldKind::kText},
    {"inputs", FieldKind::kObject},
    {"previous", FieldKind::kObjectOrNull},
    {"program", FieldKind::kObject},
    {"tokens", FieldKind::kArray},
    {"modules", FieldKind::kArray},
}};
constexpr std::array<RequiredField, 5> kStepFields = {{
    {"id", FieldKind::kText},
    {"do", FieldKind::kText},
    {"phase", FieldKind::kPhase},
    {"parameters", FieldKind::kObject, "begin"},
    {"calls", FieldKind::kObject, "end"},
}};
constexpr std::array<RequiredField, 5> kRequestFields = {{
    {"step", FieldKind::kText},
    {"quorum", FieldKind::kObject},
    {"statement", FieldKind::kText},
    {"subject", FieldKind::kObject},
    {"subject_sha256", FieldKind::kText},
}};
constexpr std::array<RequiredField, 4> kCosignFields = {{
    {"person", FieldKind::kText},
    {"request", FieldKind::kInteger},
    {"size", FieldKind::kInteger},
    {"line", FieldKind::kText},
}};
constexpr std::array<RequiredField, 4> kIntentFields = {{
    {"call", FieldKind::kInteger},
    {"fn", FieldKind::kText},
    {"token", FieldKind::kText},
    {"inventory", FieldKind::kText},
}};
constexpr std::array<RequiredField, 5> kDoneFields = {{
    {"call", FieldKind::kInteger},
    {"fn", FieldKind::kText},
    {"token", FieldKind::kText},
    {"rv", FieldKind::kText},
    {"inventory", FieldKind::kText},
}};
constexpr std::array<RequiredField, 4> kArtefactFields = {{
    {"name", FieldKind::kText},
    {"sha256", FieldKind::kText},
    {"size", FieldKind::kInteger},
    {"kind", FieldKind::kText},
}};
constexpr std::array<RequiredField, 1> kRefusalFields = {{{"rule", FieldKind::kText}}};
constexpr std::array<RequiredField, 1> kCheckpointFields = {{{"note", FieldKind::kText}}};
constexpr std::array<RequiredField, 2> kRecoverFields = {{
    {"entries", FieldKind::kInteger},
    {"torn", FieldKind::kObjectOrNull},
}};
constexpr std::array<RequiredField, 3> kCloseFields = {{
    {"entries", FieldKind::kInteger},
    {"steps", FieldKind::kInteger},
    {"open_items", FieldKind::kArray},
}};

// In the order of EntryType, so that FactsOf is an index.
constexpr std::array<EntryTypeFacts, 16> kEntryTypes = {{
    {EntryType::kOpen, "open", false, kOpenFields},
    {EntryType::kAttend, "attend", true, {}},
    {EntryType::kDepart, "depart", true, {}},
    {EntryType::kStep, "step", false, kStepFields},
    {EntryType::kRequest, "request", false, kRequestFields},
    {EntryType::kCosign, "cosign", false, kCosignFields},
    {EntryType::kIntent, "intent", true, kIntentFields},
    {EntryType::kDone, "done", true, kDoneFields},
    {EntryType::kObserve, "observe", true, {}},
    {EntryType::kArtefact, "artefact", true, kArtefactFields},
    {EntryType::kNote, "note", true, {}},
    {EntryType::kDeviation, "deviation", false, {}},
    {EntryType::kRefusal, "refusal", false, kRefusalFields},
    {EntryType::kCheckpoint, "checkpoint", false, kCheckpointFields},
    {EntryType::kRecover, "recover", false, kRecoverFields},
    {EntryType::kClose, "close", false, kCloseFields},
}};

base::Error FieldError(std::string_view pointer, std::string_view problem) {
  return MakeError(ErrorCode::kInvalidInput, fmt::format("entry field {}: {}", pointer, problem));
}

// JcsWriter spells a value. On a fault the pointer is put together while the
// recursion unwinds, so that the good path builds none.
class JcsWriter final {
 public:
  explicit JcsWriter(std::string& out) : out_(out) {}

  bool Write(const json& value, int level) {
    switch (value.type()) {
      case json::value_t::null:
        out_ += "null";
        return true;
      case json::value_t::boolean:
        out_ += value.get<bool>() ? "true" : "false";
        return true;
      case json::value_t::string:
        return WriteString(value.get_ref<const std::string&>());
      case json::value_t::number_integer:
        return WriteInteger(value.get<std::int64_t>());
      case json::value_t::number_unsigned: {
        const auto number = value.get<std::uint64_t>();
        if (number > static_cast<std::uint64_t>(kMaxInteger))
          return Fail("an integer is beyond 2^53-1; write it as a string");
        return WriteInteger(static_cast<std::int64_t>(number));
      }
      case json::value_t::object:
        return WriteObject(value, level);
      case json::value_t::array:
        return WriteArray(value, level);
      case json::value_t::number_float:
        return Fail("a number is not an integer");
      case json::value_t::binary:
      case json::value_t::discarded:
        break;
    }
    return Fail("a value is not JSON");
  }

  base::Error TakeError() const { return FieldError(pointer_.empty() ? "/" : pointer_, problem_); }

 private:
  bool Fail(std::string_view problem) {
    problem_ = problem;
    return false;
  }
  bool FailBelow(std::string_view component) {
    pointer_ = fmt::format("/{}{}", component, pointer_);
    return false;
  }

  bool WriteInteger(std::int64_t number) {
    if (number > kMaxInteger || number < -kMaxInteger) return Fail("an integer is beyond 2^53-1; write it as a string");
    const fmt::format_int digits(number);
    out_.append(digits.data(), digits.size());
    return true;
  }

  bool WriteString(std::string_view text) {
    if (!IsProfileText(text)) return Fail("a string is not UTF-8 or holds U+007F");
    constexpr std::string_view kHex = "0123456789abcdef";
    out_.push_back('"');
    std::size_t plain = 0;  // start of the run that needs no escape
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      if (c >= 0x20 && c != '"' && c != '\\') continue;
      out_.append(text, plain, i - plain);
      plain = i + 1;
      out_.push_back('\\');
      switch (c) {
        case '"':
          out_.push_back('"');
          break;
        case '\\':
          out_.push_back('\\');
          break;
        case '\b':
          out_.push_back('b');
          break;
        case '\t':
          out_.push_back('t');
          break;
        case '\n':
          out_.push_back('n');
          break;
        case '\f':
          out_.push_back('f');
          break;
        case '\r':
          out_.push_back('r');
          break;
        default:
          out_ += "u00";
          out_.push_back(kHex[c >> 4]);
          out_.push_back(kHex[c & 15]);
      }
    }
    out_.append(text, plain, text.size() - plain);
    out_.push_back('"');
    return true;
  }

  static bool IsProfileText(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
      const char32_t code_point = base::NextCodePoint(text, i);
      if (code_point == base::kNotUtf8 || code_point == 0x7f) return false;
    }
    return true;
  }

  bool WriteObject(const json& object, int level) {
    if (level > kMaxNesting) return Fail("nesting is deeper than 16");
    out_.push_back('{');
    bool first = true;
    // nlohmann::json keeps keys in ascending byte order; for keys of these
    // characters that is the order of UTF-16 code units that JCS wants.
    for (const auto& [key, value] : object.items()) {
      if (!IsKey(key)) {
        return Fail(fmt::format("the key \"{}\" is not of the form [A-Za-z0-9_.-]+", base::IsUtf8(key) ? key : "?"));
      }
      if (!first) out_.push_back(',');
      first = false;
      out_.push_back('"');
      out_ += key;
      out_ += "\":";
      if (!Write(value, level + 1)) return FailBelow(key);
    }
    out_.push_back('}');
    return true;
  }

  bool WriteArray(const json& array, int level) {
    if (level > kMaxNesting) return Fail("nesting is deeper than 16");
    out_.push_back('[');
    for (std::size_t i = 0; i < array.size(); ++i) {
      if (i != 0) out_.push_back(',');
      if (!Write(array[i], level + 1)) return FailBelow(std::to_string(i));
    }
    out_.push_back(']');
    return true;
  }

  std::string& out_;
  std::string pointer_;
  std::string problem_;
};

}  // namespace

std::string_view ModeName(Mode mode) { return mode == Mode::kProduction ? "production" : "rehearsal"; }

std::string_view KindWords(FieldKind kind) {
  switch (kind) {
    case FieldKind::kText:
      return "a string";
    case FieldKind::kPhase:
      return "\"begin\", \"end\", \"skipped\" or \"failed\"";
    case FieldKind::kInteger:
      return "an integer";
    case FieldKind::kObject:
      return "an object";
    case FieldKind::kArray:
      return "an array";
    case FieldKind::kObjectOrNull:
      return "an object or null";
  }
  return "a value";
}

std::span<const EntryTypeFacts> EntryTypes() { return kEntryTypes; }

const EntryTypeFacts& FactsOf(EntryType type) { return kEntryTypes[static_cast<std::size_t>(type)]; }

const EntryTypeFacts* FindEntryType(std::string_view name) {
  const auto found = std::ranges::find(kEntryTypes, name, &EntryTypeFacts::name);
  return found == kEntryTypes.end() ? nullptr : &*found;
}

std::span<const RequiredField> CommonFields() { return kCommonFields; }

Result<void> CanonicaliseInto(const json& entry, std::string& out) {
  out.clear();
  if (!entry.is_object()) return FieldError("/", fmt::format("expected an object, found {}", entry.type_name()));
  JcsWriter writer(out);
  if (!writer.Write(entry, 1)) return writer.TakeError();
  if (out.size() > kMaxLineBytes) {
    return MakeError(ErrorCode::kInvalidInput,
                     fmt::format("an entry has {} bytes, at most {} fit in a line", out.size(), kMaxLineBytes))
        .WithHint("write the large value as an artefact and name its digest");
  }
  return {};
}

Result<std::string> Canonicalise(const json& entry) {
  std::string line;
  KC_RETURN_IF_ERROR(CanonicaliseInto(entry, line));
  return line;
}

Result<std::string> CanonicaliseValue(const json& value) {
  std::string out;
  JcsWriter writer(out);
  if (!writer.Write(value, 1)) return writer.TakeError();
  return out;
}

Result<json> ParseEntry(std::string_view line) {
  Scanner scanner;
  if (const LineFault fault = scanner.ScanEntry(line); fault != LineFault::kNone) {
    return MakeError(ErrorCode::kCorrupt, fmt::format("a line of the log is no entry: {}", RuleOf(fault).sentence));
  }
  return json::parse(line);
}

bool IsTime(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd.ddddddZ";
  if (text.size() != kShape.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kShape[i] == 'd' ? !IsDigit(text[i]) : text[i] != kShape[i]) return false;
  }
  const auto two = [&](std::size_t i) { return (text[i] - '0') * 10 + (text[i + 1] - '0'); };
  const int year = two(0) * 100 + two(2);
  const int month = two(5);
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year == 0 || month < 1 || month > 12) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  const int days = kDays[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
  return two(8) >= 1 && two(8) <= days && two(11) < 24 && two(14) < 60 && two(17) < 60;
}

bool IsPhase(std::string_view text) {
  return text == "begin" || text == "end" || text == "skipped" || text == "failed";
}

std::string NewSalt() { return base::RandomHex(kSaltBytes); }

bool IsSafeName(std::string_view name) {
  return !name.empty() && name.size() <= 128 && name.front() != '.' && name.front() != '-' && IsKey(name);
}

bool IsSafePath(std::string_view path) {
  for (int components = 1; components <= 8; ++components) {
    const std::size_t slash = path.find('/');
    if (!IsSafeName(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
  return false;
}

}  // namespace ceremony::record
