#include "hsm/base/clock_text.h"

#include <fmt/format.h>

#include <chrono>
#include <string>

namespace base {

Result<std::int64_t> ParseTime(std::string_view text) {
  const auto refuse = [&] {
    return MakeError(ErrorCode::kInvalidInput, fmt::format("\"{}\" is not a time in UTC", text))
        .WithHint("write it as 2026-11-28T05:17:45Z");
  };
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  constexpr std::size_t kDigitsOfMicros = 6;
  if (text.size() <= kShape.size() || text.back() != 'Z') return refuse();
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == '0' ? !digit : text[i] != kShape[i]) return refuse();
  }
  std::string_view fraction = text.substr(kShape.size(), text.size() - kShape.size() - 1);
  if (!fraction.empty()) {
    if (fraction.front() != '.' || fraction.size() < 2 || fraction.size() > kDigitsOfMicros + 1) return refuse();
    fraction.remove_prefix(1);
  }
  std::int64_t micros = 0;
  for (std::size_t i = 0; i < kDigitsOfMicros; ++i) {
    const char digit = i < fraction.size() ? fraction[i] : '0';
    if (digit < '0' || digit > '9') return refuse();
    micros = micros * 10 + (digit - '0');
  }
  const auto number = [&](std::size_t at, std::size_t size) {
    int value = 0;
    for (const char digit : text.substr(at, size)) value = value * 10 + (digit - '0');
    return value;
  };
  const std::chrono::year_month_day date(std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2))));
  if (!date.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) return refuse();
  const auto point = std::chrono::sys_days(date) + std::chrono::hours(number(11, 2)) +
                     std::chrono::minutes(number(14, 2)) + std::chrono::seconds(number(17, 2));
  return std::chrono::duration_cast<std::chrono::microseconds>(point.time_since_epoch()).count() + micros;
}

Result<std::int64_t> ParseDayOrTime(std::string_view text) {
  constexpr std::size_t kDay = 10;
  const bool is_day = text.size() == kDay;
  Result<std::int64_t> micros = ParseTime(is_day ? std::string(text) + "T00:00:00Z" : std::string(text));
  if (micros.ok()) return micros;
  return MakeError(ErrorCode::kInvalidInput,
                   fmt::format("expected a day (2026-11-21) or a time (2026-11-21T05:17:45Z), found \"{}\"", text));
}

}  // namespace base
