// What is due for tokens and for caps on keys, and forecasts of how often an issuing
// key must be rolled over.
#ifndef CEREMONY_ESTATE_FLEET_DUE_H_
#define CEREMONY_ESTATE_FLEET_DUE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ceremony/estate/due.h"
#include "ceremony/script/policy.h"

namespace ceremony::estate {

// AddFleetDue adds what is due for tokens and caps within `horizon_days`: tokens that
// wait to be commissioned or to arrive, and keys to deactivate (a cap's time plus the
// policy's minutes). Without a policy it adds tokens only. It sorts the whole list.
void AddFleetDue(const Folded& folded, const script::Policy* policy, std::int64_t now_micros, int horizon_days,
                 std::vector<DueItem>& due);

// Forecast says when a cap is reached at a given rate of issuing.
struct Forecast {
  std::string use;                     // of the policy's cap
  std::int64_t per_month = 0;          // certificates in 30 days
  std::int64_t minutes = 0;            // from one rollover to the next
  std::int64_t held = 0;               // keys on hold at the same time, in the long run
  bool by_age = false;                 // the cap on days comes first
  std::vector<std::string> rollovers;  // the next ones, RFC 3339
};

// ForecastRollovers makes one forecast for each cap of the policy. The first rollover
// is counted from the newest active key of that use, or from now if there is none. It
// stops with the year 9999.
std::vector<Forecast> ForecastRollovers(const Estate& estate, const script::Policy& policy, std::int64_t per_month,
                                        std::int64_t now_micros, int rollovers);

// KeyCaps finds the policy's cap for a key: its use is the profile of the key's newest
// certificate, or a prefix of it ("issuing" of "issuing-oca"). The longest use wins. It
// reads the certificates once. Estate and policy must outlive it.
class KeyCaps final {
 public:
  KeyCaps(const Estate& estate, const script::Policy& policy);
  const script::KeyCap* Of(const Key& key) const;  // nullptr: none

 private:
  const script::Policy& policy_;
  std::unordered_map<std::string_view, const Certificate*> newest_;  // by key
};

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_FLEET_DUE_H_
