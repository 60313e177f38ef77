#include "ceremony/room/text.h"

#include <doctest/doctest.h>

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
