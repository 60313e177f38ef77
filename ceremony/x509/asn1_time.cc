#include "ceremony/x509/asn1_time.h"

#include <fmt/format.h>

#include <chrono>
#include <vector>

namespace ceremony::x509 {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

// The two decimal digits at `at`, or -1.
int TwoDigits(std::string_view text, std::size_t at) {
  const char tens = text[at];
  const char ones = text[at + 1];
  if (tens < '0' || tens > '9' || ones < '0' || ones > '9') return -1;
  return (tens - '0') * 10 + (ones - '0');
}

// Seconds of `MMDDHHMMSSZ` in that year.
std::optional<std::int64_t> ParseRest(int year, std::string_view text) {
  const int month = TwoDigits(text, 0);
  const int day = TwoDigits(text, 2);
  const int hour = TwoDigits(text, 4);
  const int minute = TwoDigits(text, 6);
  const int second = TwoDigits(text, 8);
  if (month < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 ||
      text[10] != 'Z') {
    return std::nullopt;
  }
  const year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return (sys_days(date).time_since_epoch() + hours(hour) + minutes(minute) + seconds(second)) / seconds(1);
}

struct Civil {
  year_month_day date;
  std::int64_t second_of_day;
};

Civil CivilOf(std::int64_t utc_seconds) {
  const auto point = std::chrono::sys_seconds(seconds(utc_seconds));
  const sys_days day = std::chrono::floor<days>(point);
  return {year_month_day(day), (point - day).count()};
}

std::string Spell(std::int64_t utc_seconds, const char* pattern, int year_modulus) {
  const Civil civil = CivilOf(utc_seconds);
  return fmt::format(fmt::runtime(pattern), static_cast<int>(civil.date.year()) % year_modulus,
                     static_cast<unsigned>(civil.date.month()), static_cast<unsigned>(civil.date.day()),
                     civil.second_of_day / 3600, civil.second_of_day / 60 % 60, civil.second_of_day % 60);
}

constexpr std::int64_t kEarliest = -631152000;  // 19500101000000Z

// A date that does not exist (29 February, 31 April) becomes the first day after it.
sys_days Shift(const year_month_day& date, unsigned years, unsigned months) {
  const year_month_day moved = date + std::chrono::years(years) + std::chrono::months(months);
  if (moved.ok()) return sys_days(moved);
  return sys_days(moved.year() / moved.month() / std::chrono::last) + days(1);
}

}  // namespace

std::optional<std::int64_t> ParseUtcTime(std::string_view text) {
  if (text.size() != 13) return std::nullopt;
  const int year = TwoDigits(text, 0);
  if (year < 0) return std::nullopt;
  return ParseRest(year < 50 ? 2000 + year : 1900 + year, text.substr(2));
}

std::optional<std::int64_t> ParseGeneralizedTime(std::string_view text) {
  if (text.size() != 15) return std::nullopt;
  const int century = TwoDigits(text, 0);
  const int year = TwoDigits(text, 2);
  if (century < 0 || year < 0) return std::nullopt;
  return ParseRest(century * 100 + year, text.substr(4));
}

std::string FormatGeneralizedTime(std::int64_t utc_seconds) {
  return Spell(utc_seconds, "{:04}{:02}{:02}{:02}{:02}{:02}Z", 10000);
}

std::string FormatUtcTime(std::int64_t utc_seconds) {
  return Spell(utc_seconds, "{:02}{:02}{:02}{:02}{:02}{:02}Z", 100);
}

std::string ReadableTime(std::int64_t utc_seconds) {
  return Spell(utc_seconds, "{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", 10000);
}

base::Result<ValidityPeriod> PeriodOf(const Validity& validity, std::int64_t not_before) {
  ValidityPeriod period{not_before, 0};
  if (const auto* fixed = std::get_if<FixedValidity>(&validity)) {
    period = {fixed->not_before, fixed->not_after};
  } else if (not_before < kEarliest || not_before > kIndefiniteEnd) {
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           fmt::format("notBefore {} is not within the years 1950 to 9999", not_before));
  } else if (const auto* relative = std::get_if<RelativeValidity>(&validity)) {
    constexpr unsigned kMostYears = 8050;
    if (relative->years > kMostYears || relative->months > kMostYears * 12 || relative->days > kMostYears * 366) {
      return base::MakeError(base::ErrorCode::kInvalidInput,
                             fmt::format("a validity of {} ends after the year 9999", ValidityText(validity)));
    }
    const Civil begin = CivilOf(not_before);
    const sys_days end = Shift(begin.date, relative->years, relative->months) + days(relative->days);
    period.not_after = end.time_since_epoch() / seconds(1) + begin.second_of_day - 1;
  } else {
    period.not_after = kIndefiniteEnd;
  }
  if (period.not_before < kEarliest || period.not_after > kIndefiniteEnd) {
    return base::MakeError(
        base::ErrorCode::kInvalidInput,
        fmt::format("a validity of {} is not within the years 1950 to 9999", ValidityText(validity)));
  }
  if (period.not_after <= period.not_before) {
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           fmt::format("a validity of {} ends when it begins", ValidityText(validity)));
  }
  return period;
}

std::string ValidityText(const Validity& validity) {
  if (const auto* fixed = std::get_if<FixedValidity>(&validity)) {
    return fmt::format("{} to {}", FormatGeneralizedTime(fixed->not_before), FormatGeneralizedTime(fixed->not_after));
  }
  const auto* relative = std::get_if<RelativeValidity>(&validity);
  if (relative == nullptr) return "until 99991231235959Z";
  std::string text;
  const auto add = [&](unsigned count, const char* unit) {
    if (count != 0) text += fmt::format("{}{} {}{}", text.empty() ? "" : " ", count, unit, count == 1 ? "" : "s");
  };
  add(relative->years, "year");
  add(relative->months, "month");
  add(relative->days, "day");
  return text.empty() ? "nothing" : text;
}

}  // namespace ceremony::x509
