#include "ceremony/record/entry.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "ceremony/record/disclosure.h"
#include "ceremony/record/scanner.h"
#include "hsm/base/encoding.h"

namespace ceremony::record {
namespace {

using nlohmann::json;

json Note(json more = json::object()) {
  json entry = {{"v", 1},
                {"seq", 0},
                {"type", "note"},
                {"time", "2026-01-31T12:00:00.000001Z"},
                {"mono", 5},
                {"salt", "00112233445566778899aabbccddeeff"},
                {"mode", "rehearsal"}};
  entry.update(more);
  return entry;
}

std::string Refused(const json& entry) {
  const auto line = Canonicalise(entry);
  REQUIRE_FALSE(line.ok());
  CHECK(line.error().code == base::ErrorCode::kInvalidInput);
  return line.error().message;
}

TEST_CASE("an entry is spelled with sorted keys, no space and minimal escapes") {
  // The strings of RFC 8785 section 3.2.2.2, and every escape.
  CHECK(*Canonicalise({{"b", 1}, {"a", json::array({true, false, nullptr})}, {"A", {{"z", -5}, {"_", ""}}}}) ==
        R"({"A":{"_":"","z":-5},"a":[true,false,null],"b":1})");
  CHECK(*Canonicalise({{"s", "\u20ac$\x0f\nA'B\"\\\\\"/"}}) == "{\"s\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
  CHECK(*Canonicalise({{"s", std::string("\b\t\n\f\r\0\x1f", 7)}}) == R"({"s":"\b\t\n\f\r\u0000\u001f"})");
  CHECK(*Canonicalise({{"n", 9007199254740991}, {"m", -9007199254740991}}) ==
        R"({"m":-9007199254740991,"n":9007199254740991})");
  CHECK(*Canonicalise(json::object()) == "{}");
}

TEST_CASE("what the profile refuses is named by its JSON pointer") {
  CHECK(Refused({{"a", {{"b", json::array({1, 2.5})}}}}) == "entry field /a/b/1: a number is not an integer");
  CHECK(Refused({{"a", 1.0}}) == "entry field /a: a number is not an integer");
  CHECK(Refused({{"n", 9007199254740992}}) == "entry field /n: an integer is beyond 2^53-1; write it as a string");
  CHECK(Refused({{"n", -9007199254740992}}) == "entry field /n: an integer is beyond 2^53-1; write it as a string");
  CHECK(Refused({{"n", 18446744073709551615u}}) == "entry field /n: an integer is beyond 2^53-1; write it as a string");
  CHECK(Refused({{"s", "\x7f"}}) == "entry field /s: a string is not UTF-8 or holds U+007F");
  for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xf0\x80\x80\xaf"}) {
    CHECK(Refused({{"s", bad}}) == "entry field /s: a string is not UTF-8 or holds U+007F");
  }
  CHECK(Refused({{"x", {{"a b", 1}}}}) == "entry field /x: the key \"a b\" is not of the form [A-Za-z0-9_.-]+");
  CHECK(Refused({{"", 1}}) == "entry field /: the key \"\" is not of the form [A-Za-z0-9_.-]+");
  CHECK(Refused({{"b", json::binary({1, 2})}}) == "entry field /b: a value is not JSON");
  CHECK(Refused(json::array()) == "entry field /: expected an object, found array");
}

TEST_CASE("nesting is allowed to 16 levels and a line to 65535 bytes") {
  const auto nested = [](int arrays) {
    json value = json::array();
    for (int i = 1; i < arrays; ++i) value = json::array({value});
    return json{{"a", value}};
  };
  CHECK(Canonicalise(nested(15)).ok());
  CHECK(Refused(nested(16)).find("nesting is deeper than 16") != std::string::npos);
  CHECK(Canonicalise({{"s", std::string(65535 - 8, 'x')}})->size() == 65535);
  CHECK(Refused({{"s", std::string(65536 - 8, 'x')}}) == "an entry has 65536 bytes, at most 65535 fit in a line");
}

TEST_CASE("the common fields are required in their form, and the fields of each type are named where they are not") {
  const auto is_entry = [](const json& entry) { return ParseEntry(*Canonicalise(entry)).ok(); };
  CHECK(is_entry(Note()));
  for (const RequiredField& field : CommonFields()) {
    json without = Note();
    without.erase(std::string(field.name));
    CHECK_FALSE(is_entry(without));
  }
  for (const char* time : {"2026-01-31T12:00:00Z", "2026-13-31T12:00:00.000000Z", "2026-01-31T24:00:00.000000Z",
                           "2026-11-31T12:00:00.000000Z", "2026-02-29T12:00:00.000000Z", "2026-01-31 12:00:00.000000Z",
                           "2026-01-31T12:00:00.000000+00:00"}) {
    CHECK_FALSE(is_entry(Note({{"time", time}})));
  }
  for (const json& wrong : {json{{"v", 2}}, json{{"type", "notes"}}, json{{"mode", "test"}}, json{{"seq", -1}},
                            json{{"salt", "00112233445566778899AABBCCDDEEFF"}}, json{{"mono", -1}}}) {
    CHECK_FALSE(is_entry(Note(wrong)));
  }
  const auto incomplete = [](const json& entry) {
    Scanner scanner;
    const std::string line = *Canonicalise(Note(entry));
    REQUIRE(scanner.ScanEntry(line) == LineFault::kNone);
    return std::string(scanner.incomplete_field());
  };
  const json step = {{"type", "step"}, {"id", "s1"}, {"do", "key.generate"}, {"phase", "begin"}};
  const auto with = [&](json entry, const char* name, json value) {
    entry[name] = std::move(value);
    return entry;
  };
  CHECK(incomplete(step) == "parameters");
  CHECK(incomplete(with(step, "phase", "over")) == "phase");
  CHECK(incomplete(with(step, "phase", "skipped")).empty());
  CHECK(incomplete({{"type", "artefact"}, {"name", "a"}, {"sha256", 5}, {"size", 1}, {"kind", "x"}}) == "sha256");
}

TEST_CASE("a stored line is accepted only in the one spelling, by this reader and by the scanner alike") {
  const std::string good = *Canonicalise(Note({{"text", "\u00e4 \"q\" \n \x01"}}));
  Scanner scanner;
  REQUIRE(ParseEntry(good).ok());
  REQUIRE(scanner.ScanEntry(good) == LineFault::kNone);
  const auto both_refuse = [&](std::string line) {
    CAPTURE(line);
    CHECK_FALSE(ParseEntry(line).ok());
    CHECK(scanner.ScanEntry(line) != LineFault::kNone);
  };
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string line = good;
    line.replace(line.find(from), from.size(), to);
    return line;
  };
  both_refuse(with("\"mono\":5", "\"mono\":5.0"));
  both_refuse(with("\"mono\":5", "\"mono\":05"));
  both_refuse(with("\"mono\":5", "\"mono\":-0"));
  both_refuse(with("\"mono\":5", "\"mono\":5e0"));
  both_refuse(with("\"mono\":5", "\"mono\": 5"));
  both_refuse(with("\"mono\":5", "\"mono\":5,\"mono\":5"));
  both_refuse(with("\"mode\"", "\"m\\u006fde\""));
  both_refuse(with("\\n", "\\u000a"));
  both_refuse(with("\\u0001", "\\U0001"));
  both_refuse(with("\u00e4", "\\u00e4"));
  both_refuse(with("\u00e4", "\xe4"));
  both_refuse(with("\u00e4", "\\ud800"));
  both_refuse(with("\u00e4", "\x7f"));
  both_refuse(good + "\n");
  both_refuse(good + "\r");
  both_refuse(" " + good);
  both_refuse("\xef\xbb\xbf" + good);
  both_refuse("");
  both_refuse("{}");
  both_refuse("[]");
  for (std::size_t i = 0; i < good.size(); ++i) both_refuse(good.substr(0, i));
}

TEST_CASE("the scanner accepts whatever can be written") {
  Scanner scanner;
  for (const json& value :
       {json("\u0000\u001f\u0080\ufeff\U0010ffff"), json(std::string("\0", 1)), json(nullptr), json(-9007199254740991),
        json::array(), json::object(), json::array({json::array({1}), {{"k.-_9", false}}})}) {
    const std::string line = *Canonicalise(Note({{"x", value}}));
    CAPTURE(line);
    CHECK(scanner.ScanEntry(line) == LineFault::kNone);
    CHECK(ParseEntry(line).ok());
  }
}

TEST_CASE("the table of types is in the order of the enumeration and holds each name once") {
  for (std::size_t i = 0; i < EntryTypes().size(); ++i) {
    CHECK(static_cast<std::size_t>(EntryTypes()[i].type) == i);
    CHECK(FindEntryType(EntryTypes()[i].name) == &EntryTypes()[i]);
  }
  CHECK(FindEntryType("opens") == nullptr);
  CHECK(FactsOf(EntryType::kClose).name == "close");
}

TEST_CASE("names of files mean the same to a shell, to sha256sum and to every file system") {
  for (const char* good : {"root.crt", "a", "shares/alice.json", "A-Z_0.9", "a/b/c/d/e/f/g/h"}) CHECK(IsSafePath(good));
  for (const char* bad : {"", "/a", "a/", "a//b", "../a", "a/../b", ".a", "-rf", "a b", "a\nb", "a\\b", "\u00e4",
                          "a/b/c/d/e/f/g/h/i", "a/.b", "*"}) {
    CHECK_FALSE(IsSafePath(bad));
  }
}

TEST_CASE("a disclosure and its digest are those of RFC 9901") {
  // Section 4.2.3: the disclosure of family_name.
  CHECK(DigestOfDisclosure("WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsImZhbWlseV9uYW1lIiwiTcO2Yml1cyJd") ==
        "TZjouOTrBKEwUNjNDs9yeMzBoQn8FFLPaJjRRmAtwrM");
  // Made by Python from the definition, with the salt 000102..0f.
  const base::Bytes salt = *base::HexDecode("000102030405060708090a0b0c0d0e0f");
  const Disclosure made = *WithholdWith(salt, "serial", {{"b", 1}, {"a", "\u00fc"}});
  CHECK(made.d == "WyJBQUVDQXdRRkJnY0lDUW9MREEwT0R3Iiwic2VyaWFsIix7ImEiOiLDvCIsImIiOjF9XQ");
  CHECK(made.digest == "1feu8YSuaBSmx-DD-ApKuN96cJckardBuaFumKDqRZ8");
  CHECK(Withhold("a", 1)->d != Withhold("a", 1)->d);
  CHECK_FALSE(Withhold("a", 1.5).ok());
}

}  // namespace
}  // namespace ceremony::record
