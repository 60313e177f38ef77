#include "ceremony/script/visible_text.h"

#include <algorithm>

#include "hsm/base/utf8.h"

namespace ceremony::script {

std::size_t CountCharacters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::optional<char32_t> FirstInvisible(std::string_view text) {
  for (std::size_t offset = 0; offset < text.size();) {
    if (text[offset] >= ' ' && text[offset] <= '~') {
      ++offset;
      continue;
    }
    const char32_t point = base::NextCodePoint(text, offset);
    if (base::IsInvisible(point)) return point;
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
    base::NextCodePoint(text, offset);
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
