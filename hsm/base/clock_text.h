// Times as text, read; and a clock that stands at another time.
#ifndef HSM_BASE_CLOCK_TEXT_H_
#define HSM_BASE_CLOCK_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "hsm/base/clock.h"
#include "hsm/base/result.h"

namespace base {

// ParseTime reads a time as FormatTime spells it, with one to six digits of a second
// or none; kInvalidInput for anything else, a day that the calendar does not have included.
Result<std::int64_t> ParseTime(std::string_view text);

// ParseDayOrTime also reads a day, "2026-11-21": its first moment.
Result<std::int64_t> ParseDayOrTime(std::string_view text);

// DayOf returns the day of a time: "2026-11-21". A text that is shorter stays as it is.
inline std::string DayOf(std::string_view time) { return std::string(time.substr(0, 10)); }

// ShiftedClock is the system's clock so many microseconds later (or earlier): a
// rehearsal of a ceremony that will be held on another day.
class ShiftedClock final : public Clock {
 public:
  explicit ShiftedClock(std::int64_t shift_micros) : shift_micros_(shift_micros) {}
  std::int64_t UtcMicros() override { return system_.UtcMicros() + shift_micros_; }
  std::int64_t BootMicros() override { return system_.BootMicros(); }

 private:
  SystemClock system_;
  std::int64_t shift_micros_;
};

}  // namespace base

#endif  // HSM_BASE_CLOCK_TEXT_H_
