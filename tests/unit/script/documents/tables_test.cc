// What must hold for every table of every file, those of the steps included.
#include <doctest/doctest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "ceremony/record/trust.h"
#include "ceremony/script/roster.h"
#include "ceremony/script/schema.h"
#include "ceremony/steps/catalogue.h"
#include "tests/unit/script/sample_files.h"
#include "tests/unit/script/support.h"

using namespace ceremony::script;
using ceremony::steps::Catalogue;

namespace {

void Visit(const FieldTable& table, const std::function<void(const FieldTable&, const Field&)>& visit) {
  for (const Field& field : table.fields) {
    visit(table, field);
    for (const Field* part = &field; part != nullptr; part = part->item.get()) {
      for (const auto& inner : part->tables) Visit(*inner, visit);
    }
  }
}

void VisitAll(const std::function<void(const FieldTable&, const Field&)>& visit) {
  for (const std::string& kind : FileKinds()) Visit(TableOf(kind, Catalogue()).value(), visit);
}

std::string ProblemsOf(const Field& field, const std::string& value) {
  Field required = field;
  required.presence = Presence::kRequired;
  Problems problems;
  const auto document = Document::Parse("f", "{\"" + field.name + "\":" + value + "}", problems);
  if (document.has_value()) ParseObject({"t", "", {required}, {}}, *document, document->root(), problems);
  return LinesOf(problems);
}

}  // namespace

TEST_CASE("every default and every example is a value that its field takes") {
  std::size_t count = 0;
  VisitAll([&](const FieldTable& table, const Field& field) {
    for (const std::string& value : {field.default_json, field.example_json}) {
      if (value.empty()) continue;
      ++count;
      CHECK_MESSAGE(ProblemsOf(field, value) == "", table.name << " " << field.name << " " << value);
    }
  });
  CHECK(count > 20);
}

TEST_CASE("every field says what it is for, and none is called like a secret") {
  VisitAll([](const FieldTable& table, const Field& field) {
    CHECK_MESSAGE(!field.help.empty(), table.name << " " << field.name);
    CHECK_MESSAGE(!field.help.ends_with("."), table.name << " " << field.name);
    CHECK_MESSAGE(!table.help.empty(), table.name);
  });
}

TEST_CASE("no table has two fields of one name, so no kind of step hides a field that every step has") {
  for (const std::string& kind : Catalogue().Kinds())
    CHECK_MESSAGE(Catalogue().FieldsOf(kind)->Find("do") == nullptr, kind);
  VisitAll([](const FieldTable& table, const Field& field) {
    std::size_t count = 0;
    for (const Field& other : table.fields) count += other.name == field.name ? 1U : 0U;
    CHECK_MESSAGE(count == 1, table.name << " " << field.name);
  });
}

TEST_CASE("fields of a group are optional and there") {
  const std::function<void(const FieldTable&, const Field&)> check = [](const FieldTable& table,
                                                                        const Field& /*field*/) {
    for (const auto& group : table.exactly_one_of) {
      for (const std::string& name : group) {
        REQUIRE_MESSAGE(table.Find(name) != nullptr, table.name << " " << name);
        CHECK(table.Find(name)->presence == Presence::kOptional);
      }
    }
  };
  VisitAll(check);
}

TEST_CASE("the verifier reads the rosters that are written here, and counts the same people") {
  const auto roster = ParseRoster(FileOf("r.json", kGoodRoster)).value();
  const auto written = WriteRoster(roster).value();
  for (const std::string& text : {std::string(kGoodRoster), written}) {
    const auto trust = ceremony::record::Trust::ParseRoster(text);
    REQUIRE_MESSAGE(trust.ok(), (trust.ok() ? "" : trust.error().message));
    CHECK(trust->estate() == roster.estate);
    for (const Quorum& quorum : roster.quorums) {
      REQUIRE(trust->Find(quorum.name) != nullptr);
      CHECK(trust->Find(quorum.name)->m == static_cast<std::size_t>(quorum.m));
      CHECK(trust->Find(quorum.name)->keys.size() == roster.MembersOf(quorum).size());
    }
  }
}

TEST_CASE("a kind of file that is not there is refused with the nearest") {
  const auto error = TableOf("scirpt", Catalogue()).error();
  CHECK(error.message ==
        "expected a kind of file, \"script\", \"binding\", \"policy\", \"profile\", \"crl-profile\", "
        "\"roster\", \"person\", \"share\", \"redaction\", \"faults\" or \"capabilities\", found \"scirpt\"");
  CHECK(error.hint == "did you mean `script`?");
}
