#include "ceremony/estate/intact.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

namespace {

using ceremony::estate::CheckChain;
using ceremony::estate::CheckIntact;
using ceremony::estate::Folded;
using ceremony::estate::RecordSummary;

RecordSummary Record(const std::string& folder, const std::string& origin, std::optional<std::string> previous) {
  RecordSummary record;
  record.folder = folder;
  record.origin = origin;
  record.opened = true;
  record.previous = std::move(previous);
  return record;
}

std::string RuleOf(const std::vector<RecordSummary>& records) {
  const auto checked = CheckChain(records);
  return checked.ok() ? "" : checked.error().rule + ": " + checked.error().message;
}

}  // namespace

TEST_CASE("EST-FOLD-02: each record follows the one before it, and nothing is missing between them") {
  const RecordSummary first = Record("0001-a", "e/a/1", "");
  const RecordSummary second = Record("0002-b", "e/b/2", "e/a/1");
  const RecordSummary third = Record("0003-c", "e/c/3", "e/b/2");
  CHECK(RuleOf({}) == "");
  CHECK(RuleOf({first, second, third}) == "");
  CHECK(RuleOf({first, third}) ==
        "EST-FOLD-02: record 0003-c follows e/b/2, and in this archive it stands after e/a/1");
  CHECK(RuleOf({second}) == "EST-FOLD-02: record 0002-b follows e/a/1, and in this archive it stands first");
  CHECK(RuleOf({first, first}) ==
        "EST-FOLD-02: record 0001-a follows nothing, and in this archive it stands after e/a/1");
  // What never came to its first entry says nothing, and nobody follows it.
  RecordSummary unopened;
  unopened.folder = "0002-x";
  CHECK(RuleOf({first, unopened, second}) == "");
  // Whose entry does not say what it follows is for the verifier.
  CHECK(RuleOf({first, Record("0002-b", "e/b/2", std::nullopt), third}) == "");
}

TEST_CASE("a record that was left behind is followed from what its key has signed, or is passed over") {
  const RecordSummary first = Record("0001-a", "e/a/1", "");
  RecordSummary left = Record("0002-b", "e/b/2", "e/a/1");
  left.left_behind = ceremony::record::Checkpoint{"e/b/2", 1, {}};
  CHECK(RuleOf({first, left, Record("0003-c", "e/c/3", "e/a/1")}) == "");
  left.has_checkpoint = true;
  CHECK(RuleOf({first, left, Record("0003-c", "e/c/3", "e/b/2")}) == "");
  CHECK(RuleOf({first, left, Record("0003-c", "e/c/3", "e/a/1")}) ==
        "EST-FOLD-02: record 0003-c follows e/a/1, and in this archive it stands after e/b/2");
}

TEST_CASE("EST-FOLD-03: only the newest record may be open, and is not looked at then") {
  Folded folded;
  folded.records = {Record("0001-a", "e/a/1", ""), Record("0002-b", "e/b/2", "e/a/1")};
  for (RecordSummary& record : folded.records) record.entries = 3;
  const auto refused = CheckIntact("there-is-no-archive", folded);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().rule == "EST-FOLD-03");
  CHECK(refused.error().message == "record 0001-a is not what was signed: it is not complete, and others follow it");
  // A log without entries says nothing, so that nothing can be wrong with it.
  folded.records[0] = RecordSummary{};
  folded.records[0].folder = "0001-x";
  folded.records[1].previous = "";
  CHECK(CheckIntact("there-is-no-archive", folded).ok());
}
