#include "hsm/base/clock.h"

#include <fmt/format.h>

#include <chrono>
#include <ctime>

namespace base {
namespace {

std::int64_t ReadClock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

}  // namespace

std::int64_t SystemClock::UtcMicros() { return ReadClock(CLOCK_REALTIME); }
std::int64_t SystemClock::BootMicros() { return ReadClock(CLOCK_BOOTTIME); }

std::string FormatTime(std::int64_t utc_micros) {
  using std::chrono::floor;
  const std::chrono::sys_time<std::chrono::microseconds> point{std::chrono::microseconds(utc_micros)};
  const auto day = floor<std::chrono::days>(point);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss<std::chrono::microseconds> clock{point - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

}  // namespace base
