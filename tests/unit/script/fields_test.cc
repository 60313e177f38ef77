#include "ceremony/script/fields.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/unit/script/support.h"

using namespace ceremony::script;

namespace {

// A table with one field of every type.
const FieldTable& EveryType() {
  static const FieldTable table{
      "every",
      "Everything.",
      {Field::Text("text", "a line").Length(2, 5).Optional(),
       Field::Prose("prose", "lines").Optional(),
       Field::Id("id", "an id").Optional(),
       Field::Digest("digest", "a digest").Optional(),
       Field::Time("time", "a time").Optional(),
       Field::Date("date", "a date").Optional(),
       Field::Path("path", "a path").Optional(),
       Field::Shaped("base64", Base64Shape(), "bytes").Length(4, 12).Optional(),
       Field::Shaped("absolute", AbsolutePathShape(), "a path").Optional(),
       Field::Shaped("oid", OidShape(), "an oid").Optional(),
       Field::Regex("pattern", "a pattern").Optional(),
       Field::Integer("integer", -2, 9, "a number").Optional(),
       Field::Boolean("boolean", "a switch").Default(true),
       Field::Choice("choice", {{"live", ""}, {"backup", ""}}, "a word").Default("live"),
       Field::Choice("hidden", {{"pin-prompt", ""}}, "a word").Unquotable().Optional(),
       Field::List("list", Field::Integer("item", 0, 9, "n"), 1, 3, "numbers").Unique().Optional(),
       Field::Map("map", IdShape(), Field::Id("token", "t").Refers(Reference::kToken), 1, 2, "names").Optional(),
       Field::Table("table",
                    {"inner", "Inside.", {Field::Id("name", "n"), Field::Integer("count", 1, 1, "c").Default(1)}, {}},
                    "an object")
           .Optional(),
       Field::Variant("variant", Field::Id("do", "kind"),
                      {{"a.b", "A.", {Field::Id("key", "k").Refers(Reference::kKey)}, {}}, {"c.d", "C.", {}, {}}},
                      "a variant")
           .Optional(),
       Field::Id("serial", "s").Optional(),
       Field::Id("blank", "b").Optional()},
      {{"serial", "blank"}}};
  return table;
}

std::string ProblemsOf(const std::string& members) {
  Problems problems;
  const std::string text = members.empty() ? "{\"serial\":\"x\"}" : "{\"serial\":\"x\"," + members + "}";
  const auto document = Document::Parse("f", text, problems);
  REQUIRE(document.has_value());
  const auto values = ParseObject(EveryType(), *document, document->root(), problems);
  return LinesOf(problems);
}

nlohmann::json ValuesOf(const std::string& text) {
  Problems problems;
  const auto document = Document::Parse("f", text, problems);
  REQUIRE(document.has_value());
  auto values = ParseObject(EveryType(), *document, document->root(), problems);
  CHECK(LinesOf(problems) == "");
  return values;
}

}  // namespace

TEST_CASE("defaults are filled in and absent optional fields are left out") {
  CHECK(ValuesOf("{\"serial\":\"x\"}").dump() == R"({"boolean":true,"choice":"live","serial":"x"})");
  CHECK(
      ValuesOf(
          R"({"blank":"x","boolean":false,"choice":"backup","table":{"name":"n"},"variant":{"do":"a.b","key":"k"},"list":[3,1]})")
          .dump() ==
      R"({"blank":"x","boolean":false,"choice":"backup","list":[3,1],"table":{"count":1,"name":"n"},"variant":{"do":"a.b","key":"k"}})");
}

TEST_CASE("a value of another type is refused with what was expected and what was found") {
  CHECK(ProblemsOf(R"("text":1)") ==
        "INPUT-04 f:1:22: /text: expected a line of text of 2 to 5 characters, found the integer 1\n");
  CHECK(ProblemsOf(R"("prose":null)") ==
        "INPUT-04 f:1:23: /prose: expected text of 1 to 4000 characters, found null\n");
  CHECK(ProblemsOf(R"("integer":"1")") ==
        "INPUT-04 f:1:25: /integer: expected an integer from -2 to 9, found the text \"1\"\n");
  CHECK(ProblemsOf(R"("boolean":"true")") ==
        "INPUT-04 f:1:25: /boolean: expected true or false, found the text \"true\"\n");
  CHECK(ProblemsOf(R"("boolean":1)") == "INPUT-04 f:1:25: /boolean: expected true or false, found the integer 1\n");
  CHECK(ProblemsOf(R"("choice":true)") == "INPUT-04 f:1:24: /choice: expected \"live\" or \"backup\", found true\n");
  CHECK(ProblemsOf(R"("list":{})") == "INPUT-04 f:1:22: /list: expected a list of 1 to 3, found an object\n");
  CHECK(ProblemsOf(R"("map":[])") ==
        "INPUT-04 f:1:21: /map: expected an object with 1 to 2 names, found a list of 0\n");
  CHECK(ProblemsOf(R"("table":"x")") == "INPUT-04 f:1:23: /table: expected an object, found the text \"x\"\n");
  CHECK(ProblemsOf(R"("variant":[1])") == "INPUT-04 f:1:25: /variant: expected an object, found a list of 1\n");
  CHECK(ProblemsOf(R"("variant":{"do":7})") ==
        "INPUT-04 f:1:31: /variant/do: expected \"a.b\" or \"c.d\", found the integer 7\n");
}

TEST_CASE("a value outside of what its field allows is refused") {
  CHECK(ProblemsOf(R"("text":"a")") ==
        "INPUT-05 f:1:22: /text: expected a line of text of 2 to 5 characters, found the text \"a\"\n");
  CHECK(ProblemsOf(R"("text":"äöüß€")") == "");
  CHECK(ProblemsOf(R"("text":"äöüß€!")") ==
        "INPUT-05 f:1:22: /text: expected a line of text of 2 to 5 characters, found the text \"äöüß€!\"\n");
  CHECK(ProblemsOf(R"("text":"a\nb")") == "INPUT-05 f:1:22: /text: expected one line, found a line feed in it\n");
  CHECK(ProblemsOf(R"("text":"ab ")") ==
        "INPUT-05 f:1:22: /text: expected text without spaces at its ends, found the text \"ab \"\n");
  CHECK(ProblemsOf(R"("prose":"a\nb")") == "");
  CHECK(ProblemsOf(R"("prose":"\na")") ==
        "INPUT-05 f:1:23: /prose: expected text without spaces at its ends, found the text \"\\na\"\n");
  CHECK(ProblemsOf(R"("integer":10)") ==
        "INPUT-05 f:1:25: /integer: expected an integer from -2 to 9, found the integer 10\n");
  CHECK(ProblemsOf(R"("choice":"backpu")") ==
        "INPUT-05 f:1:24: /choice: expected \"live\" or \"backup\", found the text \"backpu\" [did you mean "
        "`backup`?]\n");
  CHECK(ProblemsOf(R"("list":[])") == "INPUT-05 f:1:22: /list: expected a list of 1 to 3, found a list of 0\n");
  CHECK(ProblemsOf(R"("list":[1,2,1])") ==
        "INPUT-12 f:1:27: /list/2: expected items that differ, found the integer 1 twice\n");
  CHECK(ProblemsOf(R"("map":{"A":"x"})") ==
        "INPUT-05 f:1:22: /map/A: expected as a name an id (1 to 64 lowercase letters, digits, dots, hyphens, "
        "underscores; a letter or digit first), found \"A\"\n");
  CHECK(ProblemsOf(R"("table":{"name":"n","count":2})") ==
        "INPUT-05 f:1:43: /table/count: expected the integer 1, found the integer 2\n");
  CHECK(ProblemsOf(R"("pattern":"[a-")") ==
        "INPUT-05 f:1:25: /pattern: expected a pattern, found a `[` that is never closed at character 1\n");
  CHECK(ProblemsOf(R"("base64":"AAAABBBBCCCCDDDD")") ==
        "INPUT-05 f:1:24: /base64: expected 4 to 12 characters, found 16\n");
  CHECK(ProblemsOf(R"("variant":{"do":"a.c"})") ==
        "INPUT-05 f:1:31: /variant/do: expected \"a.b\" or \"c.d\", found the text \"a.c\" [did you mean `a.b`?]\n");
}

TEST_CASE("shapes take exactly what they say") {
  const auto check = [](const Shape& shape, std::initializer_list<const char*> good,
                        std::initializer_list<const char*> bad) {
    for (const char* text : good) CHECK_MESSAGE(shape.Matches(text), shape.name << " " << text);
    for (const char* text : bad) CHECK_MESSAGE(!shape.Matches(text), shape.name << " " << text);
  };
  const std::string id64(64, 'a');
  const std::string id65(65, 'a');
  check(IdShape(), {"a", "root-oca", "0.9_x", id64.c_str()},
        {"", "A", ".a", "-a", "a b", "ä", "a/b", "a\n", id65.c_str()});
  check(PathShape(), {"a", "profiles/a.json", "A_b-c/1.x"},
        {"", "/a", "../a", "a/../b", "a/./b", "a//b", "a/", ".a", "a/.b", "a\\b", "~/a", "a/b/c/d/e/f/g/h/i", "C:/a"});
  check(AbsolutePathShape(), {"/usr/lib/x.so", "/a", "/srv/me/.x/y+z"},
        {"", "/", "a", "/a/../b", "/a/./b", "//a", "/a/", "/..", "/a/...", "/a;b", "/a\"b"});
  check(DateShape(), {"2024-02-29", "2026-12-31", "2000-02-29"},
        {"2023-02-29", "1900-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-1-1", "26-01-01"});
  check(TimeShape(), {"2026-11-21T05:17:45Z"},
        {"2026-11-21T24:00:00Z", "2026-11-21T05:17:60Z", "2026-11-21T05:17:45", "2026-11-21 05:17:45Z",
         "2026-11-21T05:17:45+00:00", "2026-02-30T00:00:00Z"});
  check(DigestShape(), {"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"", "ba7816bf", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"});
  check(Base64Shape(), {"Zg==", "Zm8=", "Zm9v", "Zm9vYg=="},
        {"", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zm-v", "Zm9v=", "Zg==Zg=="});
  check(OidShape(), {"1.2.826.0.1", "2.5.4.45", "0.39", "2.999"}, {"", "1", "1.40", "3.1", "1.2.03", "1..2", "1.2."});
  check(HexShape(), {"00", "0aff"}, {"", "0", "0A"});
  check(VersionShape(), {"1", "1.0", "2026.1-draft3"}, {"", "v1", "1.", "1.0-", "1.2.3.4.5"});
  check(VariableShape(), {"SOFTHSM2_CONF", "_A"}, {"", "a", "1A", "A-B"});
  check(RuleShape(), {"KEY-ATTR-02", "BIND-01"}, {"", "KEY", "key-01", "-A-1"});
  check(KindShape(), {"key.generate", "cert.self-sign"}, {"", "key", "key.generate.x", "Key.generate"});
}

TEST_CASE("an unknown field is refused at its name, with the nearest known one") {
  CHECK(ProblemsOf(R"("tabel":1)") == "INPUT-01 f:1:15: /tabel: unknown field [did you mean `table`?]\n");
  CHECK(ProblemsOf(R"("table":{"name":"n","nmae":1,"zzzzzz":2})") ==
        "INPUT-01 f:1:35: /table/nmae: unknown field [did you mean `name`?]\n"
        "INPUT-01 f:1:44: /table/zzzzzz: unknown field [known here: name, count]\n");
  CHECK(ProblemsOf(R"("variant":{"do":"c.d","key":"k"})") ==
        "INPUT-01 f:1:37: /variant/key: unknown field [known here: do]\n");
  CHECK(ProblemsOf(R"("variant":{"od":"c.d"})") ==
        "INPUT-03 f:1:25: /variant/do: missing: expected \"a.b\" or \"c.d\"\n");
}

TEST_CASE("a missing field is named at the object that lacks it") {
  CHECK(ProblemsOf(R"("table":{})") ==
        "INPUT-03 f:1:23: /table/name: missing: expected an id (1 to 64 lowercase letters, digits, dots, hyphens, "
        "underscores; a letter or digit first)\n");
}

TEST_CASE("of a group exactly one field is given") {
  CHECK(ProblemsOf(R"("blank":"y")") ==
        "INPUT-14 f:1:15: /blank: expected only one of \"serial\" or \"blank\", found `serial` and `blank`\n");
  Problems problems;
  const auto document = Document::Parse("f", "{}", problems);
  ParseObject(EveryType(), *document, document->root(), problems);
  CHECK(LinesOf(problems) == "INPUT-03 f:1:1: missing: expected \"serial\" or \"blank\"\n");
}

TEST_CASE("a field that would hold a secret is refused and its value never repeated") {
  for (const char* name : {"pin", "PIN", "user_pin", "so-pin", "password", "PassPhrase", "client_secret", "private_key",
                           "share", "pin-value"}) {
    const std::string lines = ProblemsOf(std::string("\"") + name + "\":\"hunter2\"");
    CHECK(
        lines ==
        std::string("INPUT-11 f:1:15: /") + name +
            ": a secret must never stand in a file [take it out, and change that secret: it has been written down]\n");
  }
  CHECK(ProblemsOf(R"("spin":1)") ==
        "INPUT-01 f:1:15: /spin: unknown field [known here: text, prose, id, digest, time, date, path, base64, "
        "absolute, oid, "
        "pattern, integer, boolean, choice, hidden, list, map, table, variant, serial, blank]\n");
  CHECK(ProblemsOf(R"("hidden":"hunter2")") ==
        "INPUT-05 f:1:24: /hidden: expected \"pin-prompt\", found a text of 7 characters\n");
  CHECK(ProblemsOf(R"("map":{"PIN":"x"})") ==
        "INPUT-11 f:1:22: /map/PIN: a secret must never stand in a file [take it out, and change that secret: it has "
        "been written down]\n");
}

TEST_CASE("all problems are reported, in the order of the file") {
  CHECK(ProblemsOf("\"choice\":1,\n\"integer\":\"x\",\n\"txet\":{\"deep\":[1]},\n\"boolean\":0") ==
        "INPUT-04 f:1:24: /choice: expected \"live\" or \"backup\", found the integer 1\n"
        "INPUT-04 f:2:11: /integer: expected an integer from -2 to 9, found the text \"x\"\n"
        "INPUT-01 f:3:1: /txet: unknown field [did you mean `text`?]\n"
        "INPUT-04 f:4:11: /boolean: expected true or false, found the integer 0\n");
}

TEST_CASE("names in values are found with their pointers") {
  const auto values =
      ValuesOf(R"({"serial":"x","path":"a/b","map":{"m":"t1","n":"t2"},"variant":{"do":"a.b","key":"k"}})");
  std::string lines;
  for (const ReferenceUse& use : ReferencesIn(EveryType(), values)) {
    lines += std::to_string(static_cast<int>(use.reference)) + " " + use.name + " " + use.pointer + "\n";
  }
  CHECK(lines == "6 a/b /path\n1 t1 /map/m\n1 t2 /map/n\n4 k /variant/key\n");
}

TEST_CASE("a file of another kind or version is refused for that alone") {
  const FieldTable table{"binding", "", {FormatField("keyceremony-binding/1"), Field::Id("estate", "e")}, {}};
  const auto problems_of = [&](const std::string& text) {
    Problems problems;
    Document document;
    nlohmann::json values;
    CHECK_FALSE(ParseFile(table, FileOf("f", text), document, values, problems));
    return LinesOf(problems);
  };
  CHECK(problems_of(R"({"format":"keyceremony-script/1","x":1})") ==
        "INPUT-13 f:1:11: /format: expected \"keyceremony-binding/1\", found the text \"keyceremony-script/1\" [this "
        "file says that it is a script, not a binding]\n");
  CHECK(problems_of(R"({"format":"keyceremony-binding/2","x":1})") ==
        "INPUT-13 f:1:11: /format: expected \"keyceremony-binding/1\", found the text \"keyceremony-binding/2\" [this "
        "program reads version 1]\n");
  CHECK(problems_of(R"({"format":"x","x":1})") ==
        "INPUT-13 f:1:11: /format: expected \"keyceremony-binding/1\", found the text \"x\"\n");
  CHECK(problems_of(R"({"format":1,"estate":"e"})") ==
        "INPUT-04 f:1:11: /format: expected \"keyceremony-binding/1\", found the integer 1\n");
  CHECK(problems_of(R"({"estate":"e"})") == "INPUT-03 f:1:1: /format: missing: expected \"keyceremony-binding/1\"\n");
  CHECK(problems_of("[]") == "INPUT-04 f:1:1: expected an object, found a list of 0\n");
}

TEST_CASE("one problem is an error with its hint, several are lines, fifty are enough") {
  Problems problems;
  problems.Add({"INPUT-01", "f", {3, 4}, "/a", "unknown field", "did you mean `b`?"});
  base::Error error = problems.ToError();
  CHECK(error.code == base::ErrorCode::kInvalidInput);
  CHECK(error.rule == "INPUT-01");
  CHECK(error.message == "f:3:4: /a: unknown field");
  CHECK(error.hint == "did you mean `b`?");
  problems.Add({"INPUT-03", "f", {1, 1}, "", "missing", ""});
  error = problems.ToError();
  CHECK(error.rule == "INPUT-03");
  CHECK(error.message == "f:1:1: missing\nf:3:4: /a: unknown field (did you mean `b`?) [INPUT-01]");
  CHECK(error.hint == "2 problems; mend them all, then check again");
  for (std::uint32_t i = 0; i < 60; ++i) problems.Add({"INPUT-05", "f", {100 - i, 1}, "", "x", ""});
  CHECK(problems.list().size() == 50);
  CHECK(problems.count() == 62);
  CHECK(problems.list().back().position == Position{88, 1});
  CHECK(problems.ToError().message.ends_with("\nf:88:1: x [INPUT-05]\nand 12 more"));
}

TEST_CASE("the nearest name is near") {
  const std::vector<std::string> names{"token", "tokens", "title", "key", "id"};
  CHECK(NearestName("tokne", names) == "token");
  CHECK(NearestName("Token", names) == "token");
  CHECK(NearestName("tokenss", names) == "tokens");
  CHECK(NearestName("ke", names) == "key");
  CHECK(NearestName("x", names) == "");
  CHECK(NearestName("zzzzz", names) == "");
  CHECK(NearestName("", names) == "");
  CHECK(NearestName(std::string(100'000, 'a'), names) == "");
}

TEST_CASE("every input rule has its own id and a sentence") {
  std::string ids;
  for (const InputRule& rule : InputRules()) {
    CHECK_FALSE(rule.title.empty());
    ids += std::string(rule.id) + " ";
  }
  CHECK(ids ==
        "INPUT-01 INPUT-02 INPUT-03 INPUT-04 INPUT-05 INPUT-06 INPUT-07 INPUT-08 INPUT-09 INPUT-10 INPUT-11 INPUT-12 "
        "INPUT-13 INPUT-14 ");
}
