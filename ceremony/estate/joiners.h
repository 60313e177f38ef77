// Joiners and leavers of a period: what auditors ask for once a year (R33).
#ifndef CEREMONY_ESTATE_JOINERS_H_
#define CEREMONY_ESTATE_JOINERS_H_

#include <string>
#include <string_view>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/script/roster.h"
#include "hsm/base/result.h"

namespace ceremony::estate {

// Period of days, both included.
struct Period {
  std::string from;  // "2026-01-01"
  std::string to;
};

// ParsePeriod reads "2026-01-01..2026-12-31"; kInvalidInput for days that do not
// exist or a period that ends before it begins.
base::Result<Period> ParsePeriod(std::string_view text);

struct PersonChange {
  std::string on;
  std::string person;
  std::string name;
  std::string employer;
  std::vector<std::string> roles;
  script::PersonState state = script::PersonState::kNominated;  // the new state
  std::string ceremony;                                         // record of the change; empty: only in the roster
};

struct JoinerLeaverReport {
  Period period;
  std::vector<PersonChange> changes;  // by day, then in roster order
  std::vector<std::string> before;    // ids of people who were active when the period began
  std::vector<std::string> after;     // and when it had ended
  std::vector<std::string> undated;   // active people without a day in their history: in both lists above

  // Of lists the changes to one state.
  std::vector<const PersonChange*> Of(script::PersonState state) const;
};

// ReportJoiners takes the changes from the roster's histories, and their ceremonies from the estate.
JoinerLeaverReport ReportJoiners(const script::Roster& roster, const Estate& estate, const Period& period);

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_JOINERS_H_
