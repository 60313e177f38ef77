#include "hsm/base/utf8.h"

#include <doctest/doctest.h>

#include <string_view>

using namespace std::string_view_literals;

namespace {

// What stands at the start of `text`, and how many bytes it has.
struct First {
  char32_t code_point;
  std::size_t size;
  bool operator==(const First&) const = default;
};

First FirstOf(std::string_view text) {
  std::size_t position = 0;
  const char32_t code_point = base::NextCodePoint(text, position);
  return {code_point, position};
}

}  // namespace

TEST_CASE("characters of one to four bytes are decoded") {
  CHECK(FirstOf("a") == First{U'a', 1});
  CHECK(FirstOf("\xc3\xb6") == First{0xf6, 2});
  CHECK(FirstOf("\xe2\x82\xac") == First{0x20ac, 3});
  CHECK(FirstOf("\xf4\x8f\xbf\xbf") == First{0x10ffff, 4});
}

TEST_CASE("what is not UTF-8 is passed byte by byte") {
  for (const std::string_view bytes : {"\x80"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xc3"sv, "\xc3("sv, "\xe0\x9f\xbf"sv,
                                       "\xed\xa0\x80"sv, "\xf0\x8f\xbf\xbf"sv, "\xf4\x90\x80\x80"sv, "\xff"sv}) {
    CAPTURE(bytes);
    CHECK(FirstOf(bytes) == First{base::kNotUtf8, 1});
    CHECK(!base::IsUtf8(bytes));
  }
  CHECK(base::IsUtf8("K\xc3\xb6ln"));
}

TEST_CASE("characters that people cannot see are invisible, and a line feed is not") {
  for (const char32_t code_point :
       std::initializer_list<char32_t>{0x0, 0x9, 0xd, 0x7f, 0x9b, 0xa0, 0xad, 0x61c, 0x200b, 0x202e, 0x2066, 0x3000,
                                       0xe000, 0xfe0f, 0xfeff, 0xe0041}) {
    CAPTURE(static_cast<unsigned>(code_point));
    CHECK(base::IsInvisible(code_point));
  }
  for (const char32_t code_point : std::initializer_list<char32_t>{0xa, 0x20, 0x41, 0xf6, 0x20ac, 0x1f600}) {
    CAPTURE(static_cast<unsigned>(code_point));
    CHECK(!base::IsInvisible(code_point));
  }
  CHECK(!base::IsInvisible(base::kNotUtf8));
}
