#include "ceremony/record/scanner.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ceremony::record {
namespace {

constexpr std::array<bool, 256> MakeKeyTable() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  table['_'] = table['.'] = table['-'] = true;
  return table;
}
constexpr std::array<bool, 256> kKeyCharacter = MakeKeyTable();

unsigned char Byte(const char* p) { return static_cast<unsigned char>(*p); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLowerHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }

// A character that a string scan cannot pass over: a quote, a backslash, a
// control character, U+007F or the lead byte of a longer UTF-8 sequence.
bool IsSpecial(unsigned char c) { return c < 0x20 || c == '"' || c == '\\' || c >= 0x7f; }

const char* SkipPlain(const char* p, const char* end) {
#if defined(__SSE2__)
  while (end - p >= 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    // Signed comparison: bytes of 0x80 and more are negative, so below 0x20.
    const __m128i low = _mm_cmplt_epi8(block, _mm_set1_epi8(0x20));
    const __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
    const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
    const auto mask =
        static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, quote), _mm_or_si128(backslash, del))));
    if (mask != 0) return p + std::countr_zero(mask);
    p += 16;
  }
#endif
  while (p != end && !IsSpecial(Byte(p))) ++p;
  return p;
}

// Utf8Length returns the length of the well-formed sequence at p (Unicode 15
// table 3-7), 0 when there is none.
std::size_t Utf8Length(const char* p, const char* end) {
  const auto available = static_cast<std::size_t>(end - p);
  const unsigned char lead = Byte(p);
  const auto continues = [&](std::size_t i, unsigned char low = 0x80, unsigned char high = 0xbf) {
    return i < available && Byte(p + i) >= low && Byte(p + i) <= high;
  };
  if (lead >= 0xc2 && lead <= 0xdf) return continues(1) ? 2 : 0;
  if (lead == 0xe0) return continues(1, 0xa0) && continues(2) ? 3 : 0;
  if (lead == 0xed) return continues(1, 0x80, 0x9f) && continues(2) ? 3 : 0;
  if (lead >= 0xe1 && lead <= 0xef) return continues(1) && continues(2) ? 3 : 0;
  if (lead == 0xf0) return continues(1, 0x90) && continues(2) && continues(3) ? 4 : 0;
  if (lead >= 0xf1 && lead <= 0xf3) return continues(1) && continues(2) && continues(3) ? 4 : 0;
  if (lead == 0xf4) return continues(1, 0x80, 0x8f) && continues(2) && continues(3) ? 4 : 0;
  return 0;
}

// EscapeLength returns the length of the minimal escape at p (RFC 8785 section
// 3.2.2.2: the two-letter form where there is one, else \u00xx for controls).
std::size_t EscapeLength(const char* p, const char* end) {
  if (end - p < 2) return 0;
  switch (p[1]) {
    case '"':
    case '\\':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      return 2;
    case 'u':
      break;
    default:
      return 0;
  }
  if (end - p < 6 || p[2] != '0' || p[3] != '0' || (p[4] != '0' && p[4] != '1') || !IsLowerHex(p[5])) return 0;
  if (p[4] == '0' && (p[5] == '8' || p[5] == '9' || p[5] == 'a' || p[5] == 'c' || p[5] == 'd')) return 0;
  return 6;
}

// Walker is one descent over one text. Each function gets the position of its
// first byte and returns the position after its last, nullptr after a fault.
class Walker final {
 public:
  Walker(std::string_view text, std::vector<Member>& members) : end_(text.data() + text.size()), members_(members) {}

  LineFault fault() const { return fault_; }
  const char* position() const { return position_; }

  // Object is entered after the opening brace.
  template <bool kOutermost>
  const char* Object(const char* p, int level) {
    if (p == end_) return Fail(LineFault::kSyntax, p);
    if (*p == '}') return p + 1;
    const char* previous = nullptr;
    std::size_t previous_size = 0;
    for (;;) {
      if (p == end_ || *p != '"') return Fail(LineFault::kSyntax, p);
      const char* const key = ++p;
      while (p != end_ && kKeyCharacter[Byte(p)]) ++p;
      if (p == end_) return Fail(LineFault::kSyntax, p);
      if (*p != '"' || p == key) return Fail(LineFault::kKey, p);
      const auto key_size = static_cast<std::size_t>(p - key);
      if (previous != nullptr && !Ascends(previous, previous_size, key, key_size)) return nullptr;
      previous = key;
      previous_size = key_size;
      ++p;
      if (p == end_ || *p != ':') return Fail(LineFault::kSyntax, p);
      const char* const value = ++p;
      p = Value(p, level);
      if (p == nullptr) return nullptr;
      if constexpr (kOutermost) {
        members_.push_back({{key, key_size}, {value, static_cast<std::size_t>(p - value)}});
      }
      if (p == end_) return Fail(LineFault::kSyntax, p);
      if (*p == '}') return p + 1;
      if (*p != ',') return Fail(LineFault::kSyntax, p);
      ++p;
    }
  }

  const char* Array(const char* p, int level, std::vector<std::string_view>* elements = nullptr) {
    if (p == end_) return Fail(LineFault::kSyntax, p);
    if (*p == ']') return p + 1;
    for (;;) {
      const char* const value = p;
      p = Value(p, level);
      if (p == nullptr) return nullptr;
      if (elements != nullptr) elements->emplace_back(value, static_cast<std::size_t>(p - value));
      if (p == end_) return Fail(LineFault::kSyntax, p);
      if (*p == ']') return p + 1;
      if (*p != ',') return Fail(LineFault::kSyntax, p);
      ++p;
    }
  }

  const char* Fail(LineFault fault, const char* p) {
    fault_ = fault;
    position_ = p;
    return nullptr;
  }

 private:
  const char* Value(const char* p, int level) {
    if (p == end_) return Fail(LineFault::kSyntax, p);
    switch (*p) {
      case '"':
        return String(p + 1);
      case '{':
        if (level == kMaxNesting) return Fail(LineFault::kNesting, p);
        return Object<false>(p + 1, level + 1);
      case '[':
        if (level == kMaxNesting) return Fail(LineFault::kNesting, p);
        return Array(p + 1, level + 1);
      case 't':
        return Literal(p, "true");
      case 'f':
        return Literal(p, "false");
      case 'n':
        return Literal(p, "null");
      default:
        return Number(p);
    }
  }

  // String is entered after the opening quote.
  const char* String(const char* p) {
    for (;;) {
      p = SkipPlain(p, end_);
      if (p == end_) return Fail(LineFault::kSyntax, p);
      const unsigned char c = Byte(p);
      if (c == '"') return p + 1;
      if (c == '\\') {
        const std::size_t length = EscapeLength(p, end_);
        if (length == 0) return Fail(LineFault::kEscape, p);
        p += length;
      } else if (c >= 0x80) {
        const std::size_t length = Utf8Length(p, end_);
        if (length == 0) return Fail(LineFault::kUtf8, p);
        p += length;
      } else {
        return Fail(LineFault::kControl, p);
      }
    }
  }

  const char* Number(const char* p) {
    const char* const start = p;
    const bool negative = *p == '-';
    if (negative) ++p;
    if (p == end_ || !IsDigit(*p)) return Fail(start == p ? LineFault::kSyntax : LineFault::kNumber, start);
    const char* const digits = p;
    std::int64_t value = 0;
    while (p != end_ && IsDigit(*p)) {
      if (p - digits == 16) return Fail(LineFault::kNumber, start);  // 2^53 - 1 has 16 digits
      value = value * 10 + (*p - '0');
      ++p;
    }
    const bool leading_zero = *digits == '0' && p - digits > 1;
    const bool fraction = p != end_ && (*p == '.' || *p == 'e' || *p == 'E');
    if (leading_zero || fraction || value > kMaxInteger || (negative && value == 0)) {
      return Fail(LineFault::kNumber, start);
    }
    return p;
  }

  const char* Literal(const char* p, std::string_view word) {
    if (static_cast<std::size_t>(end_ - p) < word.size() || std::memcmp(p, word.data(), word.size()) != 0) {
      return Fail(LineFault::kSyntax, p);
    }
    return p + word.size();
  }

  // Written out because most keys differ in their first byte or two, where a
  // call of memcmp costs more than the comparison.
  bool Ascends(const char* previous, std::size_t previous_size, const char* key, std::size_t key_size) {
    const std::size_t shorter = previous_size < key_size ? previous_size : key_size;
    for (std::size_t i = 0; i < shorter; ++i) {
      if (previous[i] == key[i]) continue;
      if (Byte(previous + i) < Byte(key + i)) return true;
      Fail(LineFault::kOrder, key);
      return false;
    }
    if (previous_size < key_size) return true;
    Fail(previous_size == key_size ? LineFault::kDuplicate : LineFault::kOrder, key);
    return false;
  }

  const char* const end_;
  const char* position_ = nullptr;
  std::vector<Member>& members_;
  LineFault fault_ = LineFault::kNone;
};

int TwoDigits(const char* p) { return (p[0] - '0') * 10 + (p[1] - '0'); }

// IsTime accepts RFC 3339 in UTC with six digits and `Z`, on a day that exists.
// There is no second 60: CLOCK_REALTIME, which writes it, has none.
bool IsTime(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd.ddddddZ";
  if (text.size() != kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == 'd' ? !IsDigit(text[i]) : text[i] != kShape[i]) return false;
  }
  const char* const p = text.data();
  const int year = TwoDigits(p) * 100 + TwoDigits(p + 2);
  const int month = TwoDigits(p + 5);
  const int day = TwoDigits(p + 8);
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  const int days = kDays[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
  return day <= days && TwoDigits(p + 11) < 24 && TwoDigits(p + 14) < 60 && TwoDigits(p + 17) < 60;
}

bool IsSalt(std::string_view text) {
  if (text.size() != 32) return false;
  bool good = true;
  for (const char c : text) good &= IsLowerHex(c);
  return good;
}

bool Unsigned(std::string_view value, std::uint64_t& out) {
  const std::optional<std::int64_t> number = DecodeInteger(value);
  if (!number || *number < 0) return false;
  out = static_cast<std::uint64_t>(*number);
  return true;
}

bool Text(std::string_view value, std::string_view& out) {
  if (value.size() < 2 || value.front() != '"') return false;
  out = value.substr(1, value.size() - 2);
  return true;
}

// The required fields of a type, common ones among them, in ascending order
// with what their value must look like.
enum class Form : std::uint8_t {  // up to kTime those of the common fields
  kVersion,
  kSeq,
  kMono,
  kMode,
  kSalt,
  kTime,
  kText,
  kInteger,
  kObject,
  kArray,
  kObjectOrNull,
};
struct Required {
  std::string_view name;
  Form form;
  std::string_view phase;
};

Form FormOf(const RequiredField& field) {
  switch (field.kind) {
    case FieldKind::kText:
      return Form::kText;
    case FieldKind::kInteger:
      return Form::kInteger;
    case FieldKind::kObject:
      return Form::kObject;
    case FieldKind::kArray:
      return Form::kArray;
    case FieldKind::kObjectOrNull:
      break;
  }
  return Form::kObjectOrNull;
}

std::vector<std::vector<Required>> MakeRequired() {
  std::vector<std::vector<Required>> table;
  for (const EntryTypeFacts& facts : EntryTypes()) {
    std::vector<Required> fields = {{"v", Form::kVersion, {}}, {"seq", Form::kSeq, {}},   {"mono", Form::kMono, {}},
                                    {"mode", Form::kMode, {}}, {"salt", Form::kSalt, {}}, {"time", Form::kTime, {}}};
    for (const RequiredField& field : facts.fields) fields.push_back({field.name, FormOf(field), field.phase});
    std::sort(fields.begin(), fields.end(), [](const Required& a, const Required& b) { return a.name < b.name; });
    const auto index = static_cast<std::size_t>(facts.type);
    if (table.size() <= index) table.resize(index + 1);
    table[index] = std::move(fields);
  }
  return table;
}

const std::vector<Required>& RequiredOf(EntryType type) {
  static const std::vector<std::vector<Required>> table = MakeRequired();
  return table[static_cast<std::size_t>(type)];
}

}  // namespace

LineFault Scanner::ScanObject(std::string_view text) {
  members_.clear();
  fault_offset_ = 0;
  if (text.size() < kMinLineBytes || text.size() > kMaxLineBytes) return LineFault::kSize;
  if (text.front() != '{') return LineFault::kSyntax;
  Walker walker(text, members_);
  const char* after = walker.Object<true>(text.data() + 1, 1);
  if (after != nullptr && after != text.data() + text.size()) after = walker.Fail(LineFault::kSyntax, after);
  if (after != nullptr) return LineFault::kNone;
  fault_offset_ = static_cast<std::size_t>(walker.position() - text.data());
  return walker.fault();
}

LineFault Scanner::ScanEntry(std::string_view line) {
  const LineFault fault = ScanObject(line);
  return fault != LineFault::kNone ? fault : CheckFields(line);
}

LineFault Scanner::CheckFields(std::string_view line) {
  const auto fail = [&](LineFault fault, const char* at) {
    fault_offset_ = static_cast<std::size_t>(at - line.data());
    return fault;
  };
  const std::string_view type = Find("type");
  if (type.empty()) return fail(LineFault::kRequired, line.data());
  std::string_view type_name;
  if (!Text(type, type_name)) return fail(LineFault::kForm, type.data());
  const EntryTypeFacts* const facts = FindEntryType(type_name);
  if (facts == nullptr) return fail(LineFault::kType, type.data());
  fields_.type = facts->type;

  // Both lists ascend, so one walk finds every required member.
  incomplete_field_ = {};
  auto member = members_.begin();
  for (const Required& required : RequiredOf(facts->type)) {
    std::string_view phase;
    if (!required.phase.empty() && (!Text(Find("phase"), phase) || phase != required.phase)) continue;
    while (member != members_.end() && member->key < required.name) ++member;
    const bool common = required.form <= Form::kTime;
    if (member == members_.end() || member->key != required.name) {
      if (common) return fail(LineFault::kRequired, line.data());
      if (incomplete_field_.empty()) incomplete_field_ = required.name;
      continue;
    }
    const std::string_view value = member->value;
    bool good = false;
    std::string_view text;
    switch (required.form) {
      case Form::kVersion:
        good = value == "1";
        break;
      case Form::kSeq:
        good = Unsigned(value, fields_.seq);
        break;
      case Form::kMono:
        good = Unsigned(value, fields_.mono);
        break;
      case Form::kMode:
        good = Text(value, text) && (text == ModeName(Mode::kRehearsal) || text == ModeName(Mode::kProduction));
        fields_.mode = text == ModeName(Mode::kProduction) ? Mode::kProduction : Mode::kRehearsal;
        break;
      case Form::kSalt:
        good = Text(value, text) && IsSalt(text);
        break;
      case Form::kTime:
        good = Text(value, fields_.time) && IsTime(fields_.time);
        break;
      case Form::kText:
        good = value.front() == '"';
        break;
      case Form::kInteger:
        good = value.front() == '-' || IsDigit(value.front());
        break;
      case Form::kObject:
        good = value.front() == '{';
        break;
      case Form::kArray:
        good = value.front() == '[';
        break;
      case Form::kObjectOrNull:
        good = value.front() == '{' || value.front() == 'n';
        break;
    }
    if (!good && common) return fail(LineFault::kForm, value.data());
    if (!good && incomplete_field_.empty()) incomplete_field_ = required.name;
  }
  return LineFault::kNone;
}

std::string_view Scanner::Find(std::string_view key) const {
  for (const Member& member : members_) {
    if (member.key == key) return member.value;
  }
  return {};
}

std::optional<std::int64_t> DecodeInteger(std::string_view value) {
  if (value.empty()) return std::nullopt;
  const bool negative = value.front() == '-';
  std::int64_t number = 0;
  for (const char c : value.substr(negative ? 1 : 0)) {
    if (!IsDigit(c)) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return negative ? -number : number;
}

std::optional<std::string_view> PlainString(std::string_view value) {
  std::string_view text;
  if (!Text(value, text) || text.find('\\') != std::string_view::npos) return std::nullopt;
  return text;
}

std::optional<std::string> DecodeString(std::string_view value) {
  std::string_view text;
  if (!Text(value, text)) return std::nullopt;
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    switch (text[++i]) {
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'u': {
        const char low = text[i + 4];
        out.push_back(static_cast<char>((text[i + 3] - '0') * 16 + (IsDigit(low) ? low - '0' : low - 'a' + 10)));
        i += 4;
        break;
      }
      default:
        out.push_back(text[i]);
    }
  }
  return out;
}

std::optional<std::vector<std::string_view>> DecodeArray(std::string_view value) {
  if (value.size() < 2 || value.front() != '[') return std::nullopt;
  std::vector<std::string_view> elements;
  std::vector<Member> members;
  Walker walker(value, members);
  if (walker.Array(value.data() + 1, 1, &elements) != value.data() + value.size()) return std::nullopt;
  return elements;
}

}  // namespace ceremony::record
