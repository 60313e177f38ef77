// What is due, for the programs that people plan with: a calendar (RFC 5545) and
// a table (RFC 4180); and how often an issuing key will have to be rolled over.
#ifndef CEREMONY_ESTATE_PLANNER_H_
#define CEREMONY_ESTATE_PLANNER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ceremony/estate/due.h"
#include "ceremony/script/policy.h"
#include "hsm/base/result.h"

namespace ceremony::estate {

// AddFleetDue adds what tokens and caps ask for within `horizon_days`: tokens that
// wait to be commissioned or to arrive, keys to deactivate (a cap's time plus the
// policy's minutes). Without a policy only what needs none. It sorts the whole list.
void AddFleetDue(const Folded& folded, const script::Policy* policy, std::int64_t now_micros, int horizon_days,
                 std::vector<DueItem>& due);

// SortDue puts what is overdue first, then what has no date, then by date.
void SortDue(std::vector<DueItem>& due);

// WriteCalendar spells the items as one VCALENDAR: whole-day events, on the day
// that they are due, or today where they are due now. Lines end with CRLF and are
// folded at 75 octets; UIDs stay the same from one day to the next.
std::string WriteCalendar(const std::vector<DueItem>& due, std::string_view estate, std::int64_t now_micros);

// WriteTable spells them as comma-separated values with a heading: overdue, by, what, subject.
std::string WriteTable(const std::vector<DueItem>& due);

// Forecast is what a rate of issuing makes of a cap.
struct Forecast {
  std::string use;                     // of the policy's cap
  std::int64_t per_month = 0;          // certificates in 30 days
  std::int64_t minutes = 0;            // from one rollover to the next
  std::int64_t held = 0;               // keys on hold at one time, by and by
  bool by_age = false;                 // the cap on days comes first
  std::vector<std::string> rollovers;  // the next ones, RFC 3339
};

// ForecastRollovers makes one for each cap of the policy; the first rollover is
// counted from the newest active key of that use, or from now where there is none.
// It stops with the year 9999.
std::vector<Forecast> ForecastRollovers(const Estate& estate, const script::Policy& policy, std::int64_t per_month,
                                        std::int64_t now_micros, int rollovers);

// KeyCaps gives the policy's cap for a key: the one whose use is the name of its newest
// certificate's profile, or begins it ("issuing" of "issuing-oca"); the longest of several. It
// goes through the certificates once; estate and policy must outlive it.
class KeyCaps final {
 public:
  KeyCaps(const Estate& estate, const script::Policy& policy);
  const script::KeyCap* Of(const Key& key) const;  // nullptr: none

 private:
  const script::Policy& policy_;
  std::unordered_map<std::string_view, const Certificate*> newest_;  // by key
};

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_PLANNER_H_
