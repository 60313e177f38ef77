#include "ceremony/record/scanner.h"

#include <array>
#include <bit>
#include <cstring>

#include "ceremony/record/characters.h"
#include "hsm/base/utf8.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ceremony::record {
namespace {

unsigned char Byte(const char* p) { return static_cast<unsigned char>(*p); }
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

// Utf8Length returns the length of the well-formed sequence at p, 0 when there is none.
std::size_t Utf8Length(const char* p, const char* end) {
  std::size_t length = 0;
  return base::NextCodePoint({p, static_cast<std::size_t>(end - p)}, length) == base::kNotUtf8 ? 0 : length;
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
    Member previous{};
    for (;;) {
      if (p == end_ || *p != '"') return Fail(LineFault::kSyntax, p);
      const char* const key = ++p;
      while (p != end_ && IsKeyCharacter(*p)) ++p;
      if (p == end_) return Fail(LineFault::kSyntax, p);
      if (*p != '"' || p == key) return Fail(LineFault::kKey, p);
      const auto key_size = static_cast<std::size_t>(p - key);
      Member member{{key, key_size}, {}, OrderOf(key, key_size)};
      if (!previous.key.empty() && !Ascends(previous, member)) return nullptr;
      ++p;
      if (p == end_ || *p != ':') return Fail(LineFault::kSyntax, p);
      const char* const value = ++p;
      p = Value(p, level);
      if (p == nullptr) return nullptr;
      member.value = {value, static_cast<std::size_t>(p - value)};
      if constexpr (kOutermost) members_.push_back(member);
      previous = member;
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

  std::uint64_t OrderOf(const char* key, std::size_t size) const {
    if (end_ - key < 8) return KeyOrder({key, size});
    std::uint64_t order = 0;
    std::memcpy(&order, key, 8);
    if constexpr (std::endian::native == std::endian::little) order = __builtin_bswap64(order);
    return size >= 8 ? order : order & ~(UINT64_MAX >> (8 * size));
  }

  bool Ascends(const Member& previous, const Member& key) {
    if (previous.order < key.order) return true;
    if (previous.order == key.order && previous.key < key.key) return true;
    Fail(previous.key == key.key ? LineFault::kDuplicate : LineFault::kOrder, key.key.data());
    return false;
  }

  const char* const end_;
  const char* position_ = nullptr;
  std::vector<Member>& members_;
  LineFault fault_ = LineFault::kNone;
};

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

std::string_view Scanner::Find(std::string_view key, std::uint64_t order) const {
  for (const Member& member : members_) {
    if (HasKey(member, key, order)) return member.value;
  }
  return {};
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
