// Clock is the time as a ceremony sees it; tests have their own.
#ifndef HSM_BASE_CLOCK_H_
#define HSM_BASE_CLOCK_H_

#include <cstdint>
#include <string>

namespace base {

class Clock {
 public:
  virtual ~Clock() = default;
  // UtcMicros returns microseconds since 1970-01-01T00:00:00Z (CLOCK_REALTIME).
  virtual std::int64_t UtcMicros() = 0;
  // BootMicros returns microseconds of CLOCK_BOOTTIME: it goes on while the
  // machine sleeps and never goes back while it is up.
  virtual std::int64_t BootMicros() = 0;
};

class SystemClock final : public Clock {
 public:
  std::int64_t UtcMicros() override;
  std::int64_t BootMicros() override;
};

// FormatTime spells a UTC time as entries do: RFC 3339, six digits, `Z`
// ("2026-11-21T05:17:45.000000Z"). Years 0..9999.
std::string FormatTime(std::int64_t utc_micros);

}  // namespace base

#endif  // HSM_BASE_CLOCK_H_
