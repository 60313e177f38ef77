#include "ceremony/report/clauses.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "ceremony/estate/effect.h"
#include "ceremony/record/entry.h"
#include "ceremony/script/roster.h"
#include "ceremony/steps/catalogue.h"

using ceremony::report::Clause;
using ceremony::report::ClauseName;
using ceremony::report::Clauses;
using ceremony::report::ClausesIn;
using ceremony::report::Matches;

namespace {

// A source of the table that no record could ever have would be a gap for ever.
void CheckSource(std::string_view source) {
  if (source.empty()) return;
  const std::size_t colon = source.find(':');
  REQUIRE(colon != std::string_view::npos);
  const std::string_view kind = source.substr(0, colon), name = source.substr(colon + 1);
  if (name.ends_with('*')) return;
  INFO(std::string(source));
  if (kind == "do") {
    CHECK(ceremony::steps::Catalogue().Find(name) != nullptr);
  } else if (kind == "type") {
    CHECK(ceremony::record::FindEntryType(name) != nullptr);
  } else if (kind == "role") {
    CHECK(ceremony::script::FindRole(name).has_value());
  } else if (kind == "effect") {
    // Told from key-deactivated by its reason.
    if (name == "key-compromised") return;
    const auto read = ceremony::estate::EffectFromJson({{"effect", std::string(name)}});
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().message.find("unknown") == std::string::npos);
  }
}

}  // namespace

TEST_CASE("the words of a kind of step are read as clauses") {
  CHECK(ClausesIn("BR 5.2.2 (multi-person control); EN 319 411-1 6.4.3, 6.5.2") ==
        std::vector<ClauseName>{
            {"CA/B Forum BR", "5.2.2"}, {"ETSI EN 319 411-1", "6.4.3"}, {"ETSI EN 319 411-1", "6.5.2"}});
  CHECK(ClausesIn("NIST SP 800-57 Part 1 6.1") == std::vector<ClauseName>{{"NIST SP 800-57 Part 1", "6.1"}});
  CHECK(ClausesIn("RFC 5280; ").empty());
}

TEST_CASE("a source with a star stands for all that begin so") {
  CHECK(Matches("effect:key-*", "effect:key-created"));
  CHECK_FALSE(Matches("effect:key-*", "effect:token-moved"));
  CHECK(Matches("type:attend", "type:attend"));
  CHECK_FALSE(Matches("type:attend", "type:attended"));
  CHECK_FALSE(Matches("", "type:attend"));
}

TEST_CASE("no row of the table stands twice, and none is without evidence") {
  std::set<std::string> rows;
  for (const Clause& clause : Clauses()) {
    CHECK(rows.insert(std::string(clause.standard) + clause.asks.data()).second);
    CHECK(!clause.evidence[0].empty());
  }
}

TEST_CASE("every source of the table is one that a record can have") {
  for (const Clause& clause : Clauses()) {
    for (const std::string_view source : clause.applies) CheckSource(source);
    for (const std::string_view source : clause.evidence) CheckSource(source);
  }
}
