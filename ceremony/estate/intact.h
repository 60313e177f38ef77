// Whether the records that an estate is folded from are all there, and are what was signed.
#ifndef CEREMONY_ESTATE_INTACT_H_
#define CEREMONY_ESTATE_INTACT_H_

#include <string>

#include "ceremony/estate/fold.h"
#include "hsm/base/result.h"

namespace ceremony::estate {

// CheckIntact refuses an archive whose keys cannot be believed, because one of them could be certified a second time:
//   EST-FOLD-02  a record is missing: each must follow the one before it, by origin
//   EST-FOLD-03  the log of a record, or its roster or the one that it wrote, is not what its people have signed; or a
//                record is not complete, is not the newest, and was not left behind as it is by the next one
// Whose keys they are is not asked: that is for `verify`, with a roster that does not come from the archive.
base::Result<void> CheckIntact(const std::string& archive, const Folded& folded);

// CheckChain is EST-FOLD-02 alone.
base::Result<void> CheckChain(const std::vector<RecordSummary>& records);

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_INTACT_H_
