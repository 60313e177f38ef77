#include "ceremony/room/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "hsm/base/utf8.h"

namespace ceremony::room {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

constexpr std::array kWide = {
    Range{0x1100, 0x115f},   Range{0x2e80, 0x303e},   Range{0x3041, 0xa4cf},   Range{0xa960, 0xa97f},
    Range{0xac00, 0xd7a3},   Range{0xf900, 0xfaff},   Range{0xfe30, 0xfe6f},   Range{0xff01, 0xff60},
    Range{0xffe0, 0xffe6},   Range{0x1f300, 0x1f64f}, Range{0x1f680, 0x1f6ff}, Range{0x1f900, 0x1f9ff},
    Range{0x20000, 0x3fffd},
};

constexpr std::array kCombining = {
    Range{0x0300, 0x036f}, Range{0x0483, 0x0489}, Range{0x0591, 0x05bd}, Range{0x064b, 0x065f},
    Range{0x0e31, 0x0e31}, Range{0x0e34, 0x0e3a}, Range{0x0e47, 0x0e4e}, Range{0x1ab0, 0x1aff},
    Range{0x1dc0, 0x1dff}, Range{0x20d0, 0x20f0}, Range{0xfe20, 0xfe2f},
};

template <std::size_t size>
bool IsIn(const std::array<Range, size>& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(), [c](const Range& r) { return c >= r.first && c <= r.last; });
}

std::size_t WidthOf(char32_t c) {
  if (c < 0x300) return 1;
  if (IsIn(kCombining, c)) return 0;
  return IsIn(kWide, c) ? 2 : 1;
}

bool IsPlainAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// TakeColumns returns how many bytes of `text` fill at most `width` columns.
std::size_t TakeColumns(std::string_view text, std::size_t width) {
  std::size_t taken = 0;
  std::size_t columns = 0;
  while (taken < text.size()) {
    std::size_t next = taken;
    columns += WidthOf(base::NextCodePoint(text, next));
    if (columns > width) break;
    taken = next;
  }
  return taken;
}

void WrapParagraph(std::string_view paragraph, std::size_t width, std::vector<std::string>& lines) {
  do {
    std::size_t taken = TakeColumns(paragraph, width);
    std::size_t next = taken;
    if (taken < paragraph.size()) {
      const std::size_t space = paragraph.substr(0, taken + 1).find_last_of(' ');
      if (space != std::string_view::npos && paragraph.find_first_not_of(' ') < space) taken = next = space;
      next = std::min(paragraph.find_first_not_of(' ', next), paragraph.size());
    }
    const std::string_view line = paragraph.substr(0, taken);
    lines.emplace_back(line.substr(0, line.find_last_not_of(' ') + 1));
    paragraph.remove_prefix(next);
  } while (!paragraph.empty());
}

}  // namespace

std::string Visible(std::string_view text, Charset charset, LineFeeds line_feeds) {
  if (IsPlainAscii(text)) return std::string(text);
  std::string out;
  out.reserve(text.size() + 16);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t character = base::NextCodePoint(text, at);
    if (character == base::kNotUtf8) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[begin]));
    } else if (character == '\n') {
      out += line_feeds == LineFeeds::kBreak ? "\n" : "\\n";
    } else if (character == '\t') {
      out += ' ';
    } else if (character < 0x20 || character == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(character));
    } else if (character >= 0x80 && (charset == Charset::kAscii || base::IsInvisible(character))) {
      out += fmt::format("\\u{{{:x}}}", static_cast<unsigned>(character));
    } else {
      out += text.substr(begin, at - begin);
    }
  }
  return out;
}

std::string Quoted(std::string_view text, Charset charset) { return '"' + Visible(text, charset) + '"'; }

bool IsPlainLine(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const char32_t character = base::NextCodePoint(text, at);
    if (character == base::kNotUtf8 || character == '\n' || base::IsInvisible(character)) return false;
  }
  return true;
}

std::size_t DisplayWidth(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size();) columns += WidthOf(base::NextCodePoint(text, at));
  return columns;
}

std::vector<std::string> WrapText(std::string_view text, std::size_t width) {
  width = std::max<std::size_t>(width, 8);
  std::vector<std::string> lines;
  for (;;) {
    const std::size_t end = text.find('\n');
    WrapParagraph(text.substr(0, end), width, lines);
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

std::string FitText(std::string_view text, std::size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  return std::string(text.substr(0, TakeColumns(text, width > 3 ? width - 3 : 0))) + "...";
}

std::string FormatElapsed(std::int64_t micros) {
  const std::int64_t seconds = std::max<std::int64_t>(micros, 0) / 1'000'000;
  return fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string FormatTaken(std::int64_t micros) {
  micros = std::max<std::int64_t>(micros, 0);
  if (micros < 1'000'000) return fmt::format("{} ms", (micros + 500) / 1000);
  const std::int64_t tenths = (micros + 50'000) / 100'000;
  if (tenths < 600) return fmt::format("{}.{} s", tenths / 10, tenths % 10);
  const std::int64_t seconds = (micros + 500'000) / 1'000'000;
  return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
}

}  // namespace ceremony::room
