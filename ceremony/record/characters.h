// The characters that a record's texts are made of, each kind in one place.
#ifndef CEREMONY_RECORD_CHARACTERS_H_
#define CEREMONY_RECORD_CHARACTERS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace ceremony::record {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

constexpr bool IsLowerHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }

// IsLowerHex accepts exactly `digits` lowercase hex digits.
constexpr bool IsLowerHex(std::string_view text, std::size_t digits) {
  if (text.size() != digits) return false;
  unsigned bad = 0;
  // Without a branch, so that the compiler can take many characters at a time.
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const auto digit = static_cast<unsigned char>(byte - '0');
    const auto letter = static_cast<unsigned char>(byte - 'a');
    bad |= static_cast<unsigned>((digit > 9) & (letter > 5));
  }
  return bad == 0;
}

inline constexpr std::array<bool, 256> kKeyCharacters = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = '0'; i <= '9'; ++i) table[i] = true;
  for (std::size_t i = 'A'; i <= 'Z'; ++i) table[i] = true;
  for (std::size_t i = 'a'; i <= 'z'; ++i) table[i] = true;
  table['_'] = table['.'] = table['-'] = true;
  return table;
}();

// IsKeyCharacter accepts the characters of keys of an entry and of file names: [A-Za-z0-9_.-].
constexpr bool IsKeyCharacter(char c) { return kKeyCharacters[static_cast<unsigned char>(c)]; }

// IsKey accepts a text that may be a key of an entry.
constexpr bool IsKey(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsKeyCharacter);
}

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_CHARACTERS_H_
