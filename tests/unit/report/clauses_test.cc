#include "ceremony/report/clauses.h"

#include <doctest/doctest.h>

#include <set>

using ceremony::report::Clause;
using ceremony::report::ClauseName;
using ceremony::report::Clauses;
using ceremony::report::ClausesIn;
using ceremony::report::Matches;

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
