#include "ceremony/script/visible_text.h"

#include <algorithm>
#include <array>

namespace ceremony::script {
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

char32_t DecodeUtf8(std::string_view text, std::size_t& offset) {
  const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U; };
  const char32_t first = byte(offset);
  if (first < 0x80) {
    offset = std::min(offset + 1, text.size());
    return first;
  }
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  constexpr std::array<char32_t, 5> kMask{0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t point = first & kMask[length];
  for (std::size_t i = 1; i < length; ++i) point = (point << 6U) | (byte(offset + i) & 0x3FU);
  offset = std::min(offset + length, text.size());
  return point;
}

std::size_t CountCharacters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool IsInvisible(char32_t point) {
  const auto* range = std::lower_bound(kInvisible.begin(), kInvisible.end(), point,
                                       [](const Range& candidate, char32_t value) { return candidate.last < value; });
  return range != kInvisible.end() && point >= range->first;
}

std::optional<char32_t> FirstInvisible(std::string_view text) {
  for (std::size_t offset = 0; offset < text.size();) {
    if (text[offset] >= ' ' && text[offset] <= '~') {
      ++offset;
      continue;
    }
    const char32_t point = DecodeUtf8(text, offset);
    if (IsInvisible(point)) return point;
  }
  return std::nullopt;
}

std::string Quoted(std::string_view text) {
  constexpr std::size_t kShown = 40;
  std::string quoted = "\"";
  std::size_t count = 0;
  for (std::size_t offset = 0; offset < text.size();) {
    if (++count > kShown) {
      quoted += "...";
      break;
    }
    const std::size_t start = offset;
    DecodeUtf8(text, offset);
    const std::string_view character = text.substr(start, offset - start);
    if (character == "\n") {
      quoted += "\\n";
    } else if (character == "\"" || character == "\\") {
      quoted += '\\';
      quoted += character;
    } else {
      quoted += character;
    }
  }
  return quoted + '"';
}

}  // namespace ceremony::script
