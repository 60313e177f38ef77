// Checks that the records of an archive are complete and unchanged.
#ifndef CEREMONY_ESTATE_INTACT_H_
#define CEREMONY_ESTATE_INTACT_H_

#include <string>

#include "ceremony/estate/fold.h"
#include "hsm/base/result.h"

namespace ceremony::estate {

// CheckIntact refuses an archive that is incomplete or changed: a key might be certified twice.
//   EST-FOLD-02  a record is missing: each must follow the one before it, by origin
//   EST-FOLD-03  the log of a record, its roster, or the roster that it wrote is not what its people signed; or a
//   record
//                before the newest one is not complete, and the next one did not leave it behind in this state
// It does not ask whose keys these are. `verify` does, with a roster from outside the archive.
base::Result<void> CheckIntact(const std::string& archive, const Folded& folded);

// CheckChain is EST-FOLD-02 alone.
base::Result<void> CheckChain(const std::vector<RecordSummary>& records);

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_INTACT_H_
