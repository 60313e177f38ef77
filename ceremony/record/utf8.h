// UTF-8 (RFC 3629), strictly: no overlong form, no surrogate, nothing beyond U+10FFFF.
#ifndef CEREMONY_RECORD_UTF8_H_
#define CEREMONY_RECORD_UTF8_H_

#include <cstddef>
#include <string_view>

namespace ceremony::record {

inline constexpr char32_t kNotUtf8 = 0xffffffff;

// NextCodePoint decodes the character at `position` and moves past it;
// kNotUtf8, without moving, when the bytes there are none. `position` must be
// below the size of the text.
char32_t NextCodePoint(std::string_view text, std::size_t& position);

bool IsUtf8(std::string_view text);

// IsUnicodeSpace is the property White_Space of Unicode 15.
bool IsUnicodeSpace(char32_t code_point);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_UTF8_H_
