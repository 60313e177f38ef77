#include "hsm/base/utf8.h"

#include <algorithm>
#include <array>

namespace base {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Unicode 15: general categories Cc (but the line feed), Cf, Zl, Zp, Zs (but the
// space), Co, the Hangul and Braille characters that render as nothing, variation
// selectors and noncharacters.
constexpr std::array kInvisible{
    Range{0x0000, 0x0009},   Range{0x000B, 0x001F},    Range{0x007F, 0x00A0},   Range{0x00AD, 0x00AD},
    Range{0x034F, 0x034F},   Range{0x0600, 0x0605},    Range{0x061C, 0x061C},   Range{0x06DD, 0x06DD},
    Range{0x070F, 0x070F},   Range{0x0890, 0x0891},    Range{0x08E2, 0x08E2},   Range{0x115F, 0x1160},
    Range{0x1680, 0x1680},   Range{0x17B4, 0x17B5},    Range{0x180B, 0x180F},   Range{0x2000, 0x200F},
    Range{0x2028, 0x202F},   Range{0x205F, 0x206F},    Range{0x2800, 0x2800},   Range{0x3000, 0x3000},
    Range{0x3164, 0x3164},   Range{0xE000, 0xF8FF},    Range{0xFDD0, 0xFDEF},   Range{0xFE00, 0xFE0F},
    Range{0xFEFF, 0xFEFF},   Range{0xFFA0, 0xFFA0},    Range{0xFFF0, 0xFFFB},   Range{0xFFFE, 0xFFFF},
    Range{0x110BD, 0x110BD}, Range{0x110CD, 0x110CD},  Range{0x13430, 0x1343F}, Range{0x1BCA0, 0x1BCA3},
    Range{0x1D173, 0x1D17A}, Range{0xE0000, 0x10FFFF},
};

}  // namespace

char32_t NextCodePoint(std::string_view text, std::size_t& position) {
  const std::size_t start = position++;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[start + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return lead;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() - start < length) return kNotUtf8;
  char32_t code_point = lead & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return kNotUtf8;
    code_point = code_point << 6 | (byte(i) & 0x3fu);
  }
  const bool overlong = (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  if (overlong || (code_point >= 0xd800 && code_point <= 0xdfff) || code_point > 0x10ffff) return kNotUtf8;
  position = start + length;
  return code_point;
}

bool IsUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (NextCodePoint(text, i) == kNotUtf8) return false;
  }
  return true;
}

bool IsUnicodeSpace(char32_t code_point) {
  return (code_point >= 0x09 && code_point <= 0x0d) || code_point == 0x20 || code_point == 0x85 || code_point == 0xa0 ||
         code_point == 0x1680 || (code_point >= 0x2000 && code_point <= 0x200a) || code_point == 0x2028 ||
         code_point == 0x2029 || code_point == 0x202f || code_point == 0x205f || code_point == 0x3000;
}

bool IsInvisible(char32_t code_point) {
  const auto* range = std::lower_bound(kInvisible.begin(), kInvisible.end(), code_point,
                                       [](const Range& candidate, char32_t value) { return candidate.last < value; });
  return range != kInvisible.end() && code_point >= range->first;
}

}  // namespace base
