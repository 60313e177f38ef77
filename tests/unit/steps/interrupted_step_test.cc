// What is in the record at the moment when a step is cut off, and what is left to be done when it goes on.
#include "tests/unit/steps/step_bench.h"

namespace {

using namespace ceremony;  // NOLINT(google-build-using-namespace)
using step_bench::Good;
using step_bench::json;
using step_bench::StepBench;
using Names = std::vector<std::string>;

Names WhatsOf(const StepBench& bench) {
  Names whats;
  for (const json& entry : bench.entries) whats.push_back(entry.value("what", ""));
  return whats;
}

void Attend(StepBench& bench, const std::string& person, std::vector<std::string> roles) {
  quorum::Attendee attendee;
  attendee.person = person;
  attendee.name = person;
  attendee.roles = std::move(roles);
  bench.attendance().Arrive(attendee);
}

}  // namespace

TEST_CASE("who consented to a grave act, and to which words, is in the record before it is done") {
  StepBench bench(true);
  Attend(bench, "oscar", {"administrator"});
  bench.MakeKey("root-oca", {1}, true);
  Good(bench.known().Apply(estate::KeyDeactivated{"root-oca", "ceased", "2026-06-01T00:00:00Z", "", 0, ""},
                           {"0001-a", 3, ""}));
  Good(bench.RunWith("key.destroy", {{"keys", {"root-oca"}}, {"tokens", {StepBench::kToken}}}));
  REQUIRE(WhatsOf(bench) == Names{"confirmation", "copy-destroying", "copy-destroyed"});
  bench.entries[0].erase("type");
  CHECK(bench.entries[0] ==
        json{{"what", "confirmation"},
             {"statement", "2 objects of 1 key on token \"root-hsm\" (serial serial-1) are destroyed now, for good."},
             {"typed", "destroy on root-hsm"},
             {"role", "administrator"},
             {"person", "oscar"}});
}
