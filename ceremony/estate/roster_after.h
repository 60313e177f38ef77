// The roster as the ceremonies of an archive have changed it.
#ifndef CEREMONY_ESTATE_ROSTER_AFTER_H_
#define CEREMONY_ESTATE_ROSTER_AFTER_H_

#include "ceremony/estate/estate.h"
#include "ceremony/script/roster.h"

namespace ceremony::estate {

// RosterAfter gives each person of the roster the state and keys that the estate
// knows, with a history entry for a change that has its day (a planned one has
// none). People of whom the estate knows nothing stay as they are; people who are
// not in the roster are not added. The result has no file.
script::Roster RosterAfter(const script::Roster& roster, const Estate& estate);

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_ROSTER_AFTER_H_
