#include "tests/unit/steps/step_bench.h"

using step_bench::StepBench;

namespace {

constexpr std::int64_t kSecond = 1'000'000;

// The step, when the answer is typed at 14:13:20 and Enter is pressed so much later.
base::Result<void> Compare(StepBench& bench, std::int64_t micros_until_enter, const std::string& typed) {
  bench.people =
      support::ScriptedTerminal(std::vector<support::ScriptedTerminal::Answer>{{"room.clock/reading", typed}});
  bench.people.BeforeEach(
      [&bench, micros_until_enter](std::size_t, const std::string&) { bench.time.utc_micros += micros_until_enter; });
  return bench.Run("room.clock");
}

}  // namespace

TEST_CASE("the machine's clock is read when Enter is pressed, however long the typing took") {
  StepBench bench(true);
  support::Good(Compare(bench, 40 * kSecond, "14:14:00"));
  REQUIRE(bench.entries.size() == 1);
  CHECK(bench.entries[0]["offset_seconds"] == 0);
  CHECK(bench.entries[0]["reading"] == "14:14:00");
  CHECK(bench.entries[0]["machine"] == "2026-09-21T14:14:00.000000Z");
  CHECK(bench.people.transcript().find("press Enter at that moment") != std::string::npos);
}

TEST_CASE("a reading that differs by more than the tolerance is refused, and says how to read") {
  StepBench bench(true);
  const base::Error error = support::Bad(Compare(bench, 40 * kSecond, "14:13:54"));
  CHECK(error.rule == "CLOCK-01");
  CHECK(error.message == "the machine's clock differs by 6 s from a radio clock, 5 s are allowed");
  CHECK(error.hint.find("type the time first") != std::string::npos);
  CHECK(bench.entries.at(0)["offset_seconds"] == 6);
}

TEST_CASE("the two clocks may stand on the two sides of midnight") {
  StepBench bench(true);
  bench.time.utc_micros += (9 * 3600 + 46 * 60 + 39) * kSecond;  // 23:59:59
  support::Good(Compare(bench, 0, "00:00:01"));
  CHECK(bench.entries.at(0)["offset_seconds"] == -2);
}
