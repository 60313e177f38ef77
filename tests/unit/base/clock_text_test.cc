#include "hsm/base/clock_text.h"

#include <doctest/doctest.h>

TEST_CASE("a time is read as it is spelled, and nothing else is one") {
  // date -u -d 2026-11-28T05:17:45Z +%s
  CHECK(base::ParseTime("2026-11-28T05:17:45Z").value() == 1'795'843'065'000'000);
  CHECK(base::ParseTime("2026-11-28T05:17:45.25Z").value() == 1'795'843'065'250'000);
  CHECK(base::ParseTime("1970-01-01T00:00:00.000001Z").value() == 1);
  CHECK(base::ParseTime("2028-02-29T00:00:00Z").ok());
  for (const std::int64_t micros : {std::int64_t{0}, std::int64_t{951'782'400'123'456}})
    CHECK(base::ParseTime(base::FormatTime(micros)).value() == micros);
  for (const char* text :
       {"", "2026-11-28", "2026-11-28T05:17:45", "2026-11-28T05:17:45.Z", "2026-11-28T05:17:45.1234567Z",
        "2026-11-28T05:17:45+00:00", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-28T24:00:00Z",
        "2026-11-28T05:60:00Z", "2026-11-28 05:17:45Z", "2026-11-28T05:17:45ZZ", "x026-11-28T05:17:45Z"}) {
    CAPTURE(text);
    CHECK_FALSE(base::ParseTime(text).ok());
  }
}

TEST_CASE("days and times are read as UTC, and nothing else is") {
  // `date -u -d 2026-06-01 +%s`, `date -u -d 2024-02-29T23:59:59Z +%s`
  CHECK(*base::ParseDayOrTime("2026-06-01") == 1'780'272'000'000'000);
  CHECK(*base::ParseDayOrTime("2024-02-29T23:59:59Z") == 1'709'251'199'000'000);
  CHECK(*base::ParseDayOrTime("2024-02-29T23:59:59.000000Z") == 1'709'251'199'000'000);
  for (const char* text : {"", "2026-02-30", "2026-6-1", "2026-06-01T25:00:00Z", "2026-06-01T10:00:00+01:00", "soon"})
    CHECK_FALSE(base::ParseDayOrTime(text).ok());
}

TEST_CASE("a shifted clock is so much later, and its uptime is the machine's") {
  base::SystemClock system;
  base::ShiftedClock shifted(3'600'000'000);
  const std::int64_t before = system.UtcMicros();
  const std::int64_t then = shifted.UtcMicros();
  CHECK(then - before >= 3'600'000'000);
  CHECK(then - before < 3'660'000'000);
  CHECK(shifted.BootMicros() >= system.BootMicros() - 1'000'000);
}
