// What an archive asks of the ceremony that comes next: one at a time, of one mode, and nothing changes on which
// another was built.
#ifndef CEREMONY_RUN_ARCHIVE_RULES_H_
#define CEREMONY_RUN_ARCHIVE_RULES_H_

#include <string>
#include <vector>

#include "ceremony/estate/fold.h"
#include "ceremony/record/entry.h"
#include "hsm/base/result.h"

namespace ceremony::run {

// CheckNothingOpen holds to one ceremony at a time (ARCHIVE-OPEN-01): what follows an open one would be built on what
// may yet change. `records` are those of the archive, in order.
base::Result<void> CheckNothingOpen(const std::string& archive, const std::vector<estate::RecordSummary>& records);

// CheckMode refuses an archive whose newest ceremony is of the other mode
// (ARCHIVE-MODE-01). Begin asks, too; ask first where something is made in the
// archive before Begin.
base::Result<void> CheckMode(const std::string& archive, record::Mode mode);
// CompareMode is the same where it is known already which mode the archive holds.
base::Result<void> CompareMode(const std::string& archive, const std::string& held, record::Mode mode);

// CheckIsLast refuses to change a record after which another was opened (ARCHIVE-LEFT-01).
base::Result<void> CheckIsLast(const std::string& archive, const std::string& folder);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_ARCHIVE_RULES_H_
