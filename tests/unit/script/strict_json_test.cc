#include "ceremony/script/strict_json.h"

#include <doctest/doctest.h>

#include <string>

namespace script = ceremony::script;

namespace {

// What is wrong with a text, all of it, one line for each problem.
std::string ProblemsOf(const std::string& text) {
  script::Problems problems;
  const auto document = script::Document::Parse("f.json", text, problems);
  CHECK(document.has_value() == problems.empty());
  std::string lines;
  for (const script::Problem& problem : problems.list()) lines += problem.rule + " " + problem.Line() + "\n";
  return lines;
}

std::string Repeat(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("every value knows its line, column and pointer") {
  script::Problems problems;
  const std::string text = "{\n  \"a\": [1, true,\n    null],\r\n  \"b/~\" : {\"c\":\"ä\\n\\\"x\", \"d\": -7}\n}\n";
  const auto document = script::Document::Parse("f.json", text, problems);
  REQUIRE(document.has_value());
  const script::Node& root = document->root();
  CHECK(document->Where(root) == "f.json:1:1");
  const script::Node& a = *root.Find("a");
  CHECK(document->Where(a) == "f.json:2:8: /a");
  CHECK(a.key_position() == script::Position{2, 3});
  CHECK(document->Where(*a.children()[0]) == "f.json:2:9: /a/0");
  CHECK(document->Where(*a.children()[1]) == "f.json:2:12: /a/1");
  CHECK(document->Where(*a.children()[2]) == "f.json:3:5: /a/2");
  const script::Node& b = *root.Find("b/~");
  CHECK(document->Where(b) == "f.json:4:11: /b~1~0");
  CHECK(b.Find("c")->text() == "ä\n\"x");
  CHECK(document->Where(*b.Find("d")) == "f.json:4:31: /b~1~0/d");
  CHECK(b.Find("d")->integer() == -7);
  CHECK(b.Find("e") == nullptr);
  CHECK(a.Find("0") == nullptr);
}

TEST_CASE("columns count characters, not bytes") {
  CHECK(ProblemsOf("{\"ä€😀\": 1.5}") ==
        "INPUT-05 f.json:1:9: /ä€😀: expected an integer of at most 9007199254740991 either side of 0, found 1.5\n");
}

TEST_CASE("a document outlives the text and copies share the nodes") {
  script::Problems problems;
  script::Document copy;
  {
    std::string text = "{\"a\": \"value\"}";
    auto document = script::Document::Parse("f.json", text, problems);
    REQUIRE(document.has_value());
    copy = *document;
    text.assign(text.size(), 'x');
  }
  CHECK(copy.root().Find("a")->text() == "value");
  CHECK(copy.file() == "f.json");
}

TEST_CASE("values describe themselves for messages") {
  script::Problems problems;
  const auto document = script::Document::Parse(
      "f.json", "[null,true,false,-3,\"a\\\"b\\nc\",[1,2],{},\"" + Repeat("é", 41) + "\",\"" + Repeat("é", 40) + "\"]",
      problems);
  REQUIRE(document.has_value());
  const auto& items = document->root().children();
  CHECK(items[0]->Describe() == "null");
  CHECK(items[1]->Describe() == "true");
  CHECK(items[2]->Describe() == "false");
  CHECK(items[3]->Describe() == "the integer -3");
  CHECK(items[4]->Describe() == "the text \"a\\\"b\\nc\"");
  CHECK(items[5]->Describe() == "a list of 2");
  CHECK(items[6]->Describe() == "an object");
  CHECK(items[7]->Describe() == "the text \"" + Repeat("é", 40) + "...\"");
  CHECK(items[8]->Describe() == "the text \"" + Repeat("é", 40) + "\"");
}

TEST_CASE("names given twice are all reported, also when they are spelled with escapes") {
  CHECK(ProblemsOf("{\"a\":1,\"b\":2,\n\"a\":3,\"\\u0062\":4,\"c\":{\"a\":1}}") ==
        "INPUT-02 f.json:2:1: /a: given twice, first in line 1, column 2\n"
        "INPUT-02 f.json:2:7: /b: given twice, first in line 1, column 8\n");
  CHECK(ProblemsOf("[{\"a\":1},{\"a\":1}]") == "");
}

TEST_CASE("numbers are integers that every program reads alike") {
  const auto refusal = [](const std::string& number) {
    return "INPUT-05 f.json:1:2: /0: expected an integer of at most 9007199254740991 either side of 0, found " +
           number + "\n";
  };
  for (const char* good : {"0", "-1", "9007199254740991", "-9007199254740991"})
    CHECK(ProblemsOf(std::string("[") + good + "]") == "");
  for (const char* bad : {"-0", "1.0", "1e3", "9007199254740992", "-9007199254740992", "18446744073709551615",
                          "18446744073709551616", "-9223372036854775808", "1e400"}) {
    CHECK(ProblemsOf(std::string("[") + bad + "]") == refusal(bad));
  }
  CHECK(ProblemsOf("[" + Repeat("9", 50) + "]") == refusal(Repeat("9", 40) + "..."));
}

TEST_CASE("syntax errors say where the wrong token begins and never repeat what was read") {
  CHECK(
      ProblemsOf("") ==
      "INPUT-07 f.json:1:1: not JSON: unexpected end of input; expected '[', '{', or a literal while reading value\n");
  CHECK(ProblemsOf("{\"a\": 1,\n  }") ==
        "INPUT-07 f.json:2:3: not JSON: unexpected '}'; expected string literal while reading object key\n");
  CHECK(ProblemsOf("{\"a\" 1}") ==
        "INPUT-07 f.json:1:6: not JSON: unexpected number literal; expected ':' while reading object separator\n");
  CHECK(ProblemsOf("{\"a\": 1 \"b\": 2}") ==
        "INPUT-07 f.json:1:9: not JSON: unexpected string literal; expected '}' while reading object\n");
  CHECK(ProblemsOf("[1,,2]") ==
        "INPUT-07 f.json:1:4: not JSON: unexpected ','; expected '[', '{', or a literal while reading value\n");
  CHECK(ProblemsOf("[1") ==
        "INPUT-07 f.json:1:3: not JSON: unexpected end of input; expected ']' while reading array\n");
  CHECK(ProblemsOf("{\"pin\": hunter2}") == "INPUT-07 f.json:1:9: not JSON: invalid literal while reading value\n");
  CHECK(ProblemsOf("{\"pin\": \"hunter2") ==
        "INPUT-07 f.json:1:17: not JSON: invalid string: missing closing quote while reading value\n");
  CHECK(ProblemsOf("[1] // note") == "INPUT-07 f.json:1:5: expected the end of the file after its value, found more\n");
  CHECK(ProblemsOf("[1]\n{}") == "INPUT-07 f.json:2:1: expected the end of the file after its value, found more\n");
  CHECK(ProblemsOf("/* c */ [1]") == "INPUT-07 f.json:1:1: not JSON: invalid literal while reading value\n");
  CHECK(ProblemsOf("[01]") ==
        "INPUT-07 f.json:1:2: not JSON: unexpected number literal; expected ']' while reading array\n");
  CHECK(ProblemsOf("[NaN]") == "INPUT-07 f.json:1:2: not JSON: invalid literal while reading value\n");
  CHECK(ProblemsOf("['a']") == "INPUT-07 f.json:1:2: not JSON: invalid literal while reading value\n");
  CHECK(ProblemsOf(std::string("[1]\0", 4)) == "INPUT-07 f.json:1:4: expected text, found a NUL byte\n");
  CHECK(ProblemsOf(std::string("[1]\0{}", 6)) == "INPUT-07 f.json:1:4: expected text, found a NUL byte\n");
  CHECK(ProblemsOf("[1]]") == "INPUT-07 f.json:1:4: expected the end of the file after its value, found more\n");
}

TEST_CASE("bytes that are not UTF-8 are refused where they stand") {
  CHECK(ProblemsOf("[\"a\xC3(\"]") ==
        "INPUT-07 f.json:1:5: not JSON: invalid string: ill-formed UTF-8 byte while reading value\n");
  CHECK(ProblemsOf("[\"\xED\xA0\x80\"]") ==
        "INPUT-07 f.json:1:3: not JSON: invalid string: ill-formed UTF-8 byte while reading value\n");
  CHECK(ProblemsOf("[\"\xC0\xAF\"]") ==
        "INPUT-07 f.json:1:3: not JSON: invalid string: ill-formed UTF-8 byte while reading value\n");
  CHECK(ProblemsOf("\xEF\xBB\xBF{}") == "INPUT-07 f.json:1:1: expected a value, found a byte order mark\n");
  CHECK(ProblemsOf(std::string("\xFF\xFE{\0}\0", 6)) == "INPUT-07 f.json:1:4: expected text, found a NUL byte\n");
  CHECK_FALSE(ProblemsOf("[\"\\ud800\"]").empty());
  CHECK_FALSE(ProblemsOf("[\"\\udc00x\"]").empty());
}

TEST_CASE("characters that nobody sees or that turn the text are refused") {
  CHECK(ProblemsOf("{\"a\": \"x\\u0000y\"}") == "INPUT-05 f.json:1:7: /a: expected visible characters, found U+0000\n");
  CHECK(ProblemsOf("{\"a\": \"x\\u001b[2J\"}") ==
        "INPUT-05 f.json:1:7: /a: expected visible characters, found U+001B\n");
  CHECK(ProblemsOf("{\"a\": \"x\\u202ey\"}") == "INPUT-05 f.json:1:7: /a: expected visible characters, found U+202E\n");
  CHECK(ProblemsOf("{\"a\": \"x\\u200by\"}") == "INPUT-05 f.json:1:7: /a: expected visible characters, found U+200B\n");
  CHECK(ProblemsOf("{\"a\": \"x\\udb40\\udc41y\"}") ==
        "INPUT-05 f.json:1:7: /a: expected visible characters, found U+E0041\n");
  CHECK(ProblemsOf("{\"a\\u00adb\": 1}") == "INPUT-05 f.json:1:2: expected visible characters, found U+00AD\n");
  CHECK(ProblemsOf("{\"a\": \"one\\ntwo äöü € 😀 日本\"}") == "");
}

TEST_CASE("nesting stops at 32, values at 200,000, names at 128 bytes, files at 4 MiB") {
  CHECK(ProblemsOf(Repeat("[", 32) + Repeat("]", 32)) == "");
  CHECK(ProblemsOf(Repeat("[", 33) + Repeat("]", 33)) ==
        "INPUT-06 f.json:1:33: expected at most 32 levels of lists and objects, found more\n");
  CHECK(ProblemsOf(Repeat("[", 4'000'000)) ==
        "INPUT-06 f.json:1:33: expected at most 32 levels of lists and objects, found more\n");
  CHECK(ProblemsOf("[" + Repeat("0,", 199'998) + "0]") == "");
  CHECK(ProblemsOf("[" + Repeat("0,", 199'999) + "0]") ==
        "INPUT-06 f.json:1:400000: expected at most 200000 values, found more\n");
  CHECK(ProblemsOf("{\"" + Repeat("n", 128) + "\":1}") == "");
  CHECK(ProblemsOf("{\"" + Repeat("n", 129) + "\":1}") ==
        "INPUT-06 f.json:1:2: expected names of at most 128 bytes, found one of 129\n");
  CHECK(ProblemsOf("[]" + Repeat(" ", 4'194'302)) == "");
  CHECK(ProblemsOf("[]" + Repeat(" ", 4'194'303)) ==
        "INPUT-06 f.json: expected at most 4194304 bytes, found 4194305\n");
}
