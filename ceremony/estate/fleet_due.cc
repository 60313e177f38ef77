#include "ceremony/estate/fleet_due.h"

#include <algorithm>
#include <tuple>

#include "hsm/base/clock.h"
#include "hsm/base/clock_text.h"

namespace ceremony::estate {
namespace {

constexpr std::int64_t kMicrosPerMinute = 60'000'000;
constexpr std::int64_t kMinutesPerDay = 1440;
constexpr std::int64_t kMicrosPerDay = kMinutesPerDay * kMicrosPerMinute;

// The last time that RFC 3339 can spell: 9999-12-31T23:59:59.999999Z.
constexpr std::int64_t kLastMicros = 253'402'300'799'999'999;

// A time of an entry or an effect; 0 for one that is not known.
std::int64_t MicrosOf(std::string_view time) {
  const auto micros = base::ParseDayOrTime(time);
  return micros.ok() ? *micros : 0;
}

class FleetDue final {
 public:
  FleetDue(std::int64_t now, int horizon_days, std::vector<DueItem>& due)
      : now_(now), horizon_(now + horizon_days * kMicrosPerDay), due_(due) {}

  void Now(std::string what, const std::string& subject, bool overdue) {
    due_.push_back({std::move(what), subject, "", overdue});
  }
  void By(std::string what, const std::string& subject, std::int64_t by) {
    if (by < horizon_) due_.push_back({std::move(what), subject, base::FormatTime(by), by < now_});
  }

  void Tokens(const Estate& estate) {
    for (const Token& token : estate.tokens()) {
      if (token.retired()) continue;
      if (token.state == kOrdered) Now("commission the token", token.name, false);
      if (token.state == kInTransit) Now("take in the token", token.name, false);
    }
  }

  void Caps(const Estate& estate, const script::Policy& policy) {
    if (policy.caps.empty()) return;
    const KeyCaps caps(estate, policy);
    for (const Key& key : estate.keys()) {
      if (key.state != "active") continue;
      const script::KeyCap* cap = caps.Of(key);
      if (cap == nullptr) continue;
      std::int64_t reached = 0;
      if (cap->days > 0) reached = MicrosOf(key.since.time) + cap->days * kMicrosPerDay;
      // The count is known from the newest statement only: it was reached by then.
      if (key.use && cap->certificates > 0 && key.use->count >= cap->certificates) {
        const std::int64_t counted = MicrosOf(key.use->last_use.empty() ? key.use->since.time : key.use->last_use);
        reached = reached == 0 ? counted : std::min(reached, counted);
      }
      if (reached != 0) By("deactivate the key", key.name, reached + cap->deactivate_minutes * kMicrosPerMinute);
    }
  }

 private:
  std::int64_t now_;
  std::int64_t horizon_;
  std::vector<DueItem>& due_;
};

}  // namespace

KeyCaps::KeyCaps(const Estate& estate, const script::Policy& policy) : policy_(policy) {
  if (policy.caps.empty()) return;
  for (const Certificate& certificate : estate.certificates()) newest_[certificate.key] = &certificate;
}

const script::KeyCap* KeyCaps::Of(const Key& key) const {
  const auto newest = newest_.find(key.name);
  if (newest == newest_.end()) return nullptr;
  const std::string& profile = newest->second->profile;
  const script::KeyCap* longest = nullptr;
  for (const script::KeyCap& cap : policy_.caps) {
    if (profile != cap.use && !profile.starts_with(cap.use + "-")) continue;
    if (longest == nullptr || cap.use.size() > longest->use.size()) longest = &cap;
  }
  return longest;
}

void AddFleetDue(const Folded& folded, const script::Policy* policy, std::int64_t now_micros, int horizon_days,
                 std::vector<DueItem>& due) {
  FleetDue fleet(now_micros, horizon_days, due);
  fleet.Tokens(folded.estate);
  if (policy != nullptr) fleet.Caps(folded.estate, *policy);
  SortDue(due);
}

std::vector<Forecast> ForecastRollovers(const Estate& estate, const script::Policy& policy, std::int64_t per_month,
                                        std::int64_t now_micros, int rollovers) {
  constexpr std::int64_t kDaysPerMonth = 30;
  std::vector<Forecast> forecasts;
  const KeyCaps caps(estate, policy);
  for (const script::KeyCap& cap : policy.caps) {
    Forecast forecast;
    forecast.use = cap.use;
    forecast.per_month = per_month;
    if (cap.certificates > 0 && per_month > 0)
      forecast.minutes = cap.certificates * kDaysPerMonth * kMinutesPerDay / per_month;
    const std::int64_t by_age = cap.days * kMinutesPerDay;
    if (by_age > 0 && (forecast.minutes == 0 || by_age < forecast.minutes)) {
      forecast.minutes = by_age;
      forecast.by_age = true;
    }
    if (forecast.minutes <= 0) continue;
    const std::int64_t hold = cap.hold_months * kDaysPerMonth * kMinutesPerDay;
    forecast.held = (hold + forecast.minutes / 2) / forecast.minutes;
    std::int64_t from = 0;
    for (const Key& key : estate.keys()) {
      if (key.state == "active" && caps.Of(key) == &cap) from = std::max(from, MicrosOf(key.since.time));
    }
    std::int64_t next = from == 0 ? now_micros : from;
    while (forecast.rollovers.size() < static_cast<std::size_t>(rollovers)) {
      if (forecast.minutes > (kLastMicros - next) / kMicrosPerMinute) break;
      next += forecast.minutes * kMicrosPerMinute;
      // What should have been is due at once; it does not shift what follows.
      if (next >= now_micros || forecast.rollovers.empty())
        forecast.rollovers.push_back(base::FormatTime(std::max(next, now_micros)));
      next = std::max(next, now_micros);
    }
    forecasts.push_back(std::move(forecast));
  }
  return forecasts;
}

}  // namespace ceremony::estate
