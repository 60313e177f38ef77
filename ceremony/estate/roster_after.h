// The roster after the ceremonies of an archive.
#ifndef CEREMONY_ESTATE_ROSTER_AFTER_H_
#define CEREMONY_ESTATE_ROSTER_AFTER_H_

#include "ceremony/estate/estate.h"
#include "ceremony/script/roster.h"

namespace ceremony::estate {

// RosterAfter gives each person of the roster the state and keys from the estate, and
// a history entry for a change with a day (a planned change has none). People who are
// not in the estate stay as they are. People who are not in the roster are not added.
// The result has no file.
script::Roster RosterAfter(const script::Roster& roster, const Estate& estate);

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_ROSTER_AFTER_H_
