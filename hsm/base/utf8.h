// UTF-8 (RFC 3629), read strictly: no overlong form, no surrogate, nothing beyond U+10FFFF. And the one table of
// characters that people cannot see.
#ifndef HSM_BASE_UTF8_H_
#define HSM_BASE_UTF8_H_

#include <cstddef>
#include <string_view>

namespace base {

inline constexpr char32_t kNotUtf8 = 0xffffffff;

// NextCodePoint decodes the character at `position` and moves past it. Where the bytes are not UTF-8 it returns
// kNotUtf8 and moves by one byte. `position` must be below the size of the text.
char32_t NextCodePoint(std::string_view text, std::size_t& position);

bool IsUtf8(std::string_view text);

// IsUnicodeSpace is the property White_Space of Unicode 15.
bool IsUnicodeSpace(char32_t code_point);

// IsInvisible is true for a control character other than the line feed, and for a character that shows nothing,
// changes the direction of text, looks like a space, or is for private use.
bool IsInvisible(char32_t code_point);

}  // namespace base

#endif  // HSM_BASE_UTF8_H_
