#include "ceremony/record/characters.h"
#include "ceremony/record/scanner.h"

namespace ceremony::record {
namespace {

std::optional<std::string_view> InsideQuotes(std::string_view value) {
  if (value.size() < 2 || value.front() != '"') return std::nullopt;
  return value.substr(1, value.size() - 2);
}

}  // namespace

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
  const std::optional<std::string_view> text = InsideQuotes(value);
  if (!text || text->find('\\') != std::string_view::npos) return std::nullopt;
  return text;
}

std::optional<std::string> DecodeString(std::string_view value) {
  const std::optional<std::string_view> inside = InsideQuotes(value);
  if (!inside) return std::nullopt;
  const std::string_view text = *inside;
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

}  // namespace ceremony::record
