#include "ceremony/room/text.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using ceremony::room::Charset;
using ceremony::room::DisplayWidth;
using ceremony::room::FitText;
using ceremony::room::FormatElapsed;
using ceremony::room::FormatTaken;
using ceremony::room::IsPlainLine;
using ceremony::room::LineFeeds;
using ceremony::room::Visible;
using ceremony::room::WrapText;

using Lines = std::vector<std::string>;

namespace {

// All characters of the general categories Cc, Cf, Zl, Zp and Zs but U+0020, as Python's unicodedata has them (Unicode
// 14): unicodedata.category(chr(c)) in ("Cc", "Cf", "Zl", "Zp", "Zs").
constexpr std::pair<char32_t, char32_t> kNotShown[] = {
    {0x0000, 0x001f},   {0x007f, 0x00a0},   {0x00ad, 0x00ad},   {0x0600, 0x0605},   {0x061c, 0x061c},
    {0x06dd, 0x06dd},   {0x070f, 0x070f},   {0x0890, 0x0891},   {0x08e2, 0x08e2},   {0x1680, 0x1680},
    {0x180e, 0x180e},   {0x2000, 0x200f},   {0x2028, 0x202f},   {0x205f, 0x2064},   {0x2066, 0x206f},
    {0x3000, 0x3000},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
    {0x13430, 0x13438}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0001, 0xe0001}, {0xe0020, 0xe007f}};

std::string Utf8(char32_t c) {
  const auto byte = [](char32_t value) { return static_cast<char>(value); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xc0 | c >> 6), byte(0x80 | (c & 0x3f))};
  if (c < 0x10000) return {byte(0xe0 | c >> 12), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f))};
  return {byte(0xf0 | c >> 18), byte(0x80 | (c >> 12 & 0x3f)), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f))};
}

}  // namespace

TEST_CASE("what a terminal would obey is spelled out") {
  CHECK(Visible("root-hsm", Charset::kUtf8) == "root-hsm");
  CHECK(Visible("a\x1b[2Jb", Charset::kUtf8) == "a\\x1b[2Jb");
  CHECK(Visible("a\x1b]0;title\x07", Charset::kUtf8) == "a\\x1b]0;title\\x07");
  CHECK(Visible("a\rb\bc\x7f", Charset::kUtf8) == "a\\x0db\\x08c\\x7f");
  CHECK(Visible("\xc2\x9b"
                "31m",
                Charset::kUtf8) == "\\u{9b}31m");  // CSI as one C1 character
  CHECK(Visible(std::string("a\0b", 3), Charset::kUtf8) == "a\\x00b");
  CHECK(Visible("a\tb", Charset::kUtf8) == "a b");
}

TEST_CASE("what a terminal would hide or turn around is spelled out") {
  CHECK(Visible("1234\xe2\x80\xae"
                "5678",
                Charset::kUtf8) == "1234\\u{202e}5678");
  CHECK(Visible("a\xe2\x80\x8b"
                "b",
                Charset::kUtf8) == "a\\u{200b}b");
  CHECK(Visible("a\xef\xbb\xbf", Charset::kUtf8) == "a\\u{feff}");
  CHECK(Visible("a\xf3\xa0\x81\x81", Charset::kUtf8) == "a\\u{e0041}");
}

TEST_CASE("every control, format and space character of Unicode but the space itself is spelled out") {
  std::size_t checked = 0;
  for (const auto& [first, last] : kNotShown) {
    for (char32_t c = first; c <= last; ++c, ++checked) {
      CAPTURE(static_cast<unsigned>(c));
      CHECK_FALSE(IsPlainLine(Utf8(c)));
      CHECK(Visible(Utf8(c), Charset::kUtf8) != Utf8(c));
    }
  }
  CHECK(checked == 246);
  for (const char* shown : {" ", "Zo\xc3\xab", "\xe9\x8d\xb5", "\xf0\x9f\x94\x91"}) CHECK(IsPlainLine(shown));
  CHECK(Visible("root\xc2\xa0hsm", Charset::kUtf8) == "root\\u{a0}hsm");
}

TEST_CASE("bytes that are no UTF-8 are spelled out one by one") {
  CHECK(Visible("\xff", Charset::kUtf8) == "\\xff");
  CHECK(Visible("\xc0\xaf", Charset::kUtf8) == "\\xc0\\xaf");           // overlong
  CHECK(Visible("\xe0\x9f\xbf", Charset::kUtf8) == "\\xe0\\x9f\\xbf");  // overlong
  CHECK(Visible("\xed\xa0\x80", Charset::kUtf8) == "\\xed\\xa0\\x80");  // surrogate
  CHECK(Visible("\xf4\x90\x80\x80", Charset::kUtf8) == "\\xf4\\x90\\x80\\x80");
  CHECK(Visible("Jos\xc3", Charset::kUtf8) == "Jos\\xc3");  // cut off
  CHECK(Visible("Jos\xc3\xa9", Charset::kUtf8) == "Jos\xc3\xa9");
  CHECK(Visible("Jos\xc3\xa9", Charset::kAscii) == "Jos\\u{e9}");
}

TEST_CASE("a line feed breaks in words of a script and is spelled out in a value") {
  CHECK(Visible("a\nb", Charset::kUtf8) == "a\\nb");
  CHECK(Visible("a\nb", Charset::kUtf8, LineFeeds::kBreak) == "a\nb");
}

TEST_CASE("an answer is plain when nothing in it is hidden") {
  CHECK(IsPlainLine(""));
  CHECK(IsPlainLine("SEAL-004711 Zo\xc3\xab"));
  CHECK_FALSE(IsPlainLine("a\x1b[A"));
  CHECK_FALSE(IsPlainLine("a\tb"));
  CHECK_FALSE(IsPlainLine("a\xff"));
  CHECK_FALSE(IsPlainLine("a\xe2\x80\xae"));
}

TEST_CASE("columns are counted as a terminal shows them") {
  CHECK(DisplayWidth("abc") == 3);
  CHECK(DisplayWidth("\xc3\xa9") == 1);
  CHECK(DisplayWidth("e\xcc\x81") == 1);
  CHECK(DisplayWidth("\xe9\x8d\xb5") == 2);
  CHECK(DisplayWidth("\xe2\x94\x80\xe2\x94\x80") == 2);
}

TEST_CASE("text is wrapped at spaces and long words are cut") {
  CHECK(WrapText("", 10) == Lines{""});
  CHECK(WrapText("one two three", 10) == Lines{"one two", "three"});
  CHECK(WrapText("1234567890 1234567890", 10) == Lines{"1234567890", "1234567890"});
  CHECK(WrapText("12345678901234 x", 10) == Lines{"1234567890", "1234 x"});
  CHECK(WrapText("a  b", 10) == Lines{"a  b"});
  CHECK(WrapText("one\n\ntwo", 10) == Lines{"one", "", "two"});
  CHECK(WrapText("\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5", 9) ==
        Lines{"\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5", "\xe9\x8d\xb5"});
  CHECK(WrapText("          x", 8) == Lines{"", "x"});
}

TEST_CASE("text that does not fit ends in three dots") {
  CHECK(FitText("abcdef", 6) == "abcdef");
  CHECK(FitText("abcdefg", 6) == "abc...");
}

TEST_CASE("times are spelled for people") {
  CHECK(FormatElapsed(0) == "00:00:00");
  CHECK(FormatElapsed(161'999'999) == "00:02:41");
  CHECK(FormatElapsed(360'000'000'000) == "100:00:00");
  CHECK(FormatElapsed(-5) == "00:00:00");
  CHECK(FormatTaken(7'400) == "7 ms");
  CHECK(FormatTaken(999'400) == "999 ms");
  CHECK(FormatTaken(1'240'000) == "1.2 s");
  CHECK(FormatTaken(59'949'000) == "59.9 s");
  CHECK(FormatTaken(64'400'000) == "1 min 04 s");
}
