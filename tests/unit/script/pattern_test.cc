#include "ceremony/script/pattern.h"

#include <doctest/doctest.h>

#include <string>

using ceremony::script::Pattern;

namespace {

bool Matches(const char* pattern, std::string_view text) {
  const auto parsed = Pattern::Parse(pattern);
  REQUIRE_MESSAGE(parsed.ok(), pattern << ": " << (parsed.ok() ? "" : parsed.error().message));
  return parsed->Matches(text);
}

std::string ErrorOf(const std::string& pattern) {
  const auto parsed = Pattern::Parse(pattern);
  return parsed.ok() ? "" : parsed.error().message;
}

}  // namespace

TEST_CASE("a pattern matches the whole text or not at all") {
  CHECK(Matches("[A-Z]{2}\\d{6}", "SB004211"));
  CHECK_FALSE(Matches("[A-Z]{2}\\d{6}", "SB00421"));
  CHECK_FALSE(Matches("[A-Z]{2}\\d{6}", "SB0042111"));
  CHECK_FALSE(Matches("[A-Z]{2}\\d{6}", "xSB004211"));
  CHECK_FALSE(Matches("[A-Z]{2}\\d{6}", "SB004211\n"));
  CHECK_FALSE(Matches("a", ""));
}

TEST_CASE("every construct that is known does what ECMA-262 says") {
  CHECK(Matches("a|bc|d", "bc"));
  CHECK_FALSE(Matches("a|bc|d", "b"));
  CHECK(Matches("(ab)*c", "c"));
  CHECK(Matches("(ab)*c", "ababc"));
  CHECK_FALSE(Matches("(ab)*c", "abac"));
  CHECK(Matches("a+", "aaa"));
  CHECK_FALSE(Matches("a+", ""));
  CHECK(Matches("a?b", "b"));
  CHECK_FALSE(Matches("a?b", "aab"));
  CHECK(Matches("a{2,}", "aaaa"));
  CHECK_FALSE(Matches("a{2,}", "a"));
  CHECK(Matches("a{2,3}", "aaa"));
  CHECK_FALSE(Matches("a{2,3}", "aaaa"));
  CHECK(Matches("a{0,1}", ""));
  CHECK(Matches("[^0-9]", "x"));
  CHECK_FALSE(Matches("[^0-9]", "5"));
  CHECK(Matches("[a\\]\\-]+", "a-]"));
  CHECK(Matches("[-a]+", "a-"));
  CHECK(Matches("[a-]+", "a-"));
  CHECK(Matches("\\.\\*\\\\", ".*\\"));
  CHECK(Matches(".", "😀"));
  CHECK(Matches("[ä-ü]", "ö"));
  CHECK_FALSE(Matches(".", "\n"));
  CHECK(Matches("(a*)*b", "aab"));
  CHECK(Matches("((a|b)?(c|d)?){3}", "acbd"));
}

TEST_CASE("what is not known is refused with its place") {
  CHECK(ErrorOf("") == "expected a pattern, found nothing where something must stand at character 1");
  CHECK(ErrorOf("a|") == "expected a pattern, found nothing where something must stand at character 3");
  CHECK(ErrorOf("()") == "expected a pattern, found nothing where something must stand at character 2");
  CHECK(ErrorOf("^a") == "expected a pattern, found `^`: the whole text must match anyway at character 1");
  CHECK(ErrorOf("äa$") == "expected a pattern, found `$`: the whole text must match anyway at character 3");
  CHECK(ErrorOf("(a") == "expected a pattern, found a `(` that is never closed at character 1");
  CHECK(ErrorOf("a)") == "expected a pattern, found a `)` that closes nothing at character 2");
  CHECK(ErrorOf("[a") == "expected a pattern, found a `[` that is never closed at character 1");
  CHECK(ErrorOf("[]") == "expected a pattern, found a class with no characters at character 2");
  CHECK(ErrorOf("[z-a]") == "expected a pattern, found a range that runs backwards at character 5");
  CHECK(ErrorOf("[\\d-a]") ==
        "expected a pattern, found a range that begins with more than one character at character 4");
  CHECK(ErrorOf("[[]") == "expected a pattern, found `[` in a class: write `\\[` at character 2");
  CHECK(ErrorOf("a{2") == "expected a pattern, found a count that is not closed by `}` at character 4");
  CHECK(ErrorOf("a{}") == "expected a pattern, found a count that is not a number at character 3");
  CHECK(ErrorOf("a{0}") == "expected a pattern, found a count that allows nothing at character 4");
  CHECK(ErrorOf("a{3,2}") == "expected a pattern, found a count that allows nothing at character 6");
  CHECK(ErrorOf("a{257}") == "expected a pattern, found a count above 256 at character 5");
  CHECK(ErrorOf("a{99999999999999999999}") == "expected a pattern, found a count above 256 at character 5");
  CHECK(ErrorOf("a**") == "expected a pattern, found two counts in a row at character 3");
  CHECK(ErrorOf("a+?") == "expected a pattern, found two counts in a row at character 3");
  CHECK(ErrorOf("*") == "expected a pattern, found `*` with nothing before it to count at character 1");
  CHECK(ErrorOf("}") == "expected a pattern, found `}`: write `\\}` for the character at character 1");
  CHECK(ErrorOf("\\w") ==
        "expected a pattern, found a `\\` before something other than `d` or a punctuation character at character 1");
  CHECK(ErrorOf("a\\") ==
        "expected a pattern, found a `\\` before something other than `d` or a punctuation character at character 2");
  CHECK(ErrorOf("(?:a)") == "expected a pattern, found `(?`, which this kind of pattern does not know at character 2");
  CHECK(ErrorOf(std::string(257, 'a')) == "expected a pattern of at most 256 bytes, found 257");
  CHECK(ErrorOf("((a{256}){256}){256}") ==
        "expected a pattern of at most 4096 states, found more: its counts multiply");
  CHECK(ErrorOf("(((a?){256}){256}){256}") ==
        "expected a pattern of at most 4096 states, found more: its counts multiply");
}

TEST_CASE("patterns that make backtracking programs run for years are matched at once") {
  const std::string text(4000, 'a');
  CHECK_FALSE(Matches("(a+)+b", text));
  CHECK_FALSE(Matches("((a|a)+)+b", text));
  CHECK_FALSE(Matches("(a?){64}a{64}b", text));
  CHECK(Matches("(((((a*)*)*)*)*)*", text));
}

TEST_CASE("nested groups are bounded by the length of the pattern") {
  std::string deep(127, '(');
  deep += 'a';
  deep.append(127, ')');
  CHECK(Matches(deep.c_str(), "a"));
}
