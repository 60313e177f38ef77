#include "ceremony/record/scanner.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ceremony/record/rules.h"

namespace {

using namespace ceremony::record;

std::string Line(const std::string& value) {
  return R"({"mode":"rehearsal","mono":5,"note":)" + value +
         R"(,"salt":"00112233445566778899aabbccddeeff","seq":7,"time":"2026-11-21T05:17:45.000042Z","type":"note","v":1})";
}

LineFault FaultOf(const std::string& line) {
  // A copy of its own with nothing behind it, so that a sanitizer sees a read beyond.
  const std::vector<char> exact(line.begin(), line.end());
  return Scanner().ScanEntry({exact.data(), exact.size()});
}

}  // namespace

TEST_CASE("an entry gives its fields and members") {
  Scanner scanner;
  const std::string line = Line(R"("a\"b")");
  REQUIRE(scanner.ScanEntry(line) == LineFault::kNone);
  CHECK(scanner.fields().seq == 7);
  CHECK(scanner.fields().mono == 5);
  CHECK(scanner.fields().time == "2026-11-21T05:17:45.000042Z");
  CHECK(scanner.fields().type == EntryType::kNote);
  CHECK(scanner.fields().mode == Mode::kRehearsal);
  CHECK(scanner.members().size() == 8);
  CHECK(scanner.Find("note") == R"("a\"b")");
  CHECK(scanner.Find("nothing").empty());
  CHECK(DecodeString(scanner.Find("note")) == "a\"b");
  CHECK_FALSE(PlainString(scanner.Find("note")).has_value());
  CHECK(PlainString(scanner.Find("type")) == "note");
  CHECK(DecodeInteger(scanner.Find("seq")) == 7);
  CHECK_FALSE(DecodeInteger(scanner.Find("type")).has_value());
}

TEST_CASE("each fault of a line has its own name") {
  CHECK(FaultOf("{") == LineFault::kSize);
  CHECK(FaultOf(Line("\"" + std::string(65536, 'a') + "\"")) == LineFault::kSize);
  CHECK(FaultOf(Line("nul")) == LineFault::kSyntax);
  CHECK(FaultOf(Line("1") + " ") == LineFault::kSyntax);
  CHECK(FaultOf("\xef\xbb\xbf" + Line("1")) == LineFault::kSyntax);
  CHECK(FaultOf(Line("\"\x01\"")) == LineFault::kControl);
  CHECK(FaultOf(Line("\"\x7f\"")) == LineFault::kControl);
  CHECK(FaultOf(Line("\"\r\"")) == LineFault::kControl);
  CHECK(FaultOf(Line("\"\xc0\x80\"")) == LineFault::kUtf8);
  CHECK(FaultOf(Line("\"\xed\xa0\x80\"")) == LineFault::kUtf8);
  CHECK(FaultOf(Line(R"("\/")")) == LineFault::kEscape);
  CHECK(FaultOf(Line(R"("\u0041")")) == LineFault::kEscape);
  CHECK(FaultOf(Line(R"("\u001F")")) == LineFault::kEscape);
  CHECK(FaultOf(Line(R"("\u000a")")) == LineFault::kEscape);
  CHECK(FaultOf(Line(std::string(16, '[') + std::string(16, ']'))) == LineFault::kNesting);
  CHECK(FaultOf(Line(std::string(15, '[') + std::string(15, ']'))) == LineFault::kNone);
  CHECK(FaultOf(Line(R"({"a b":1})")) == LineFault::kKey);
  CHECK(FaultOf(Line(R"({"":1})")) == LineFault::kKey);
  CHECK(FaultOf(Line(R"({"a":1,"a":1})")) == LineFault::kDuplicate);
  CHECK(FaultOf(Line(R"({"ab":1,"a":1})")) == LineFault::kOrder);
  CHECK(FaultOf(Line(R"({"a":1,"B":1})")) == LineFault::kOrder);
  for (const char* number :
       {"-0", "01", "1.0", "1e3", "9007199254740992", "-9007199254740992", "99999999999999999999", "-"}) {
    CHECK_MESSAGE(FaultOf(Line(number)) == LineFault::kNumber, number);
  }
  CHECK(FaultOf(Line("9007199254740991")) == LineFault::kNone);
  CHECK(FaultOf("{}") == LineFault::kRequired);
  std::string line = Line("1");
  CHECK(FaultOf(line.replace(line.find("\"v\":1"), 5, "\"v\":2")) == LineFault::kForm);
  line = Line("1");
  CHECK(FaultOf(line.replace(line.find("\"note\",\"v\""), 6, "\"gossip\"")) == LineFault::kType);
}

TEST_CASE("every fault has a rule of its own") {
  for (auto fault = static_cast<int>(LineFault::kSize); fault <= static_cast<int>(LineFault::kType); ++fault) {
    const Rule& rule = RuleOf(static_cast<LineFault>(fault));
    CHECK(rule.severity == Severity::kInvalid);
    CHECK(FindRule(rule.id) == &rule);
  }
  CHECK(RuleOf(LineFault::kSize).id == "REC-SIZE");
  CHECK(RuleOf(LineFault::kNumber).id == "REC-NUMBER");
  CHECK(RuleOf(LineFault::kType).id == "REC-TYPE");
  for (const Rule& rule : Rules()) {
    CHECK_FALSE(rule.sentence.empty());
    CHECK(FindRule(rule.id) == &rule);
  }
  CHECK(FindRule("REC-NONE") == nullptr);
}

TEST_CASE("a special character is seen at every place of a string") {
  for (std::size_t size = 1; size <= 70; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'x');
      text[at] = '\x1f';
      CHECK(FaultOf(Line("\"" + text + "\"")) == LineFault::kControl);
      text[at] = '\x80';
      CHECK(FaultOf(Line("\"" + text + "\"")) == LineFault::kUtf8);
      text[at] = '\\';
      // At the end it escapes the quote, and the string goes on to the next one.
      CHECK(FaultOf(Line("\"" + text + "\"")) == (at + 1 == size ? LineFault::kSyntax : LineFault::kEscape));
      text.replace(at, 1, "\xc3\xa9");
      CHECK(FaultOf(Line("\"" + text + "\"")) == LineFault::kNone);
    }
  }
}

TEST_CASE("a key holds every character it may and no other, at every place") {
  const std::string allowed = "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
  for (int c = 0; c < 256; ++c) {
    const auto character = static_cast<char>(c);
    const bool good = allowed.find(character) != std::string::npos;
    for (const std::size_t at : {std::size_t{0}, std::size_t{7}, std::size_t{15}, std::size_t{16}, std::size_t{40}}) {
      std::string key(41, 'k');
      key[at] = character;
      CHECK((FaultOf(Line("{\"" + key + "\":1}")) == LineFault::kNone) == good);
      // The same where no block of 16 bytes is left behind it.
      CHECK((Scanner().ScanObject("{\"" + key + "\":1}") == LineFault::kNone) == good);
    }
  }
}

TEST_CASE("keys of any lengths are ordered by their bytes, shorter first") {
  const std::vector<std::string> ascending = {"-",        "A", "AA", "AAAAAAAA",  "AAAAAAAAA", "AAAAAAAAB",
                                              "AAAAAAAB", "B", "a",  "aaaaaaaa.", "aaaaaaaa0"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      const LineFault fault = FaultOf(Line("{\"" + ascending[i] + "\":1,\"" + ascending[j] + "\":2}"));
      CHECK(fault == (i < j ? LineFault::kNone : i == j ? LineFault::kDuplicate : LineFault::kOrder));
    }
  }
}

TEST_CASE("a line that ends anywhere too early is refused") {
  const std::string line = Line(R"({"a":[1,"é\n",{"b":null}],"c":false})");
  REQUIRE(FaultOf(line) == LineFault::kNone);
  for (std::size_t size = 0; size < line.size(); ++size) CHECK(FaultOf(line.substr(0, size)) != LineFault::kNone);
}

TEST_CASE("a field that its type has and the entry has not is named") {
  Scanner scanner;
  const std::string line =
      R"({"mode":"rehearsal","mono":5,"salt":"00112233445566778899aabbccddeeff","seq":7,"time":"2026-11-21T05:17:45.000042Z","type":"refusal","v":1})";
  REQUIRE(scanner.ScanEntry(line) == LineFault::kNone);
  CHECK(scanner.incomplete_field() == "rule");
  REQUIRE(scanner.ScanEntry(Line("1")) == LineFault::kNone);
  CHECK(scanner.incomplete_field().empty());
}

TEST_CASE("strings and arrays are decoded") {
  CHECK(DecodeString(R"("\b\t\n\f\r\"\\\u0000\u001fé")") == std::string("\b\t\n\f\r\"\\\0\x1fé", 11));
  CHECK_FALSE(DecodeString("12").has_value());
  CHECK(DecodeArray(R"([1,"a,b",[2,3],{"c":4}])") ==
        std::vector<std::string_view>{"1", "\"a,b\"", "[2,3]", "{\"c\":4}"});
  CHECK(DecodeArray("[]")->empty());
  CHECK_FALSE(DecodeArray("{}").has_value());
}
