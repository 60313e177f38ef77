// What `status` says about people: the custodians, the pool alarm, joiners and leavers.
#ifndef CEREMONY_CLI_CUSTODIANS_H_
#define CEREMONY_CLI_CUSTODIANS_H_

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "ceremony/estate/due.h"
#include "ceremony/estate/fold.h"
#include "ceremony/estate/joiners.h"
#include "ceremony/script/policy.h"
#include "ceremony/script/roster.h"

namespace ceremony::cli {

// Custodians with state, since when, site, and their keys' fingerprints in words.
nlohmann::ordered_json CustodiansJson(const script::Roster& roster, const estate::Estate& estate);
void PrintCustodians(const script::Roster& roster, const estate::Estate& estate, std::ostream& out);

// AddPoolAlarms adds a due item for each quorum with fewer active members than the
// policy wants, and for shares of people who are leaving.
void AddPoolAlarms(const script::Policy& policy, const script::Roster& roster, const estate::Estate& estate,
                   std::vector<estate::DueItem>& due);

nlohmann::ordered_json JoinersJson(const estate::JoinerLeaverReport& report);
void PrintJoiners(const estate::JoinerLeaverReport& report, std::ostream& out);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_CUSTODIANS_H_
