// What people refuse after `close`, when no entry can follow any more. It stands
// in the evidence of the addendum (docs/record-format.md section 3); until the
// addendum is there it is kept in `<record>.refusals.json` of the archive, beside
// the record, so that a program which ends in between loses nothing.
#ifndef CEREMONY_RUN_LATE_REFUSALS_H_
#define CEREMONY_RUN_LATE_REFUSALS_H_

#include <nlohmann/json.hpp>
#include <string>

#include "ceremony/record/storage.h"
#include "hsm/base/result.h"

namespace ceremony::run {

// ReadLateRefusals returns the list that is kept for the record in `folder` of
// the archive that `storage` is the root of: objects, in the order in which they
// were said; empty when there is no file. kCorrupt when the file is none of ours.
base::Result<nlohmann::json> ReadLateRefusals(record::Storage& storage, const std::string& folder);

// KeepLateRefusals replaces the list, durably. An empty list removes the file.
base::Result<void> KeepLateRefusals(record::Storage& storage, const std::string& folder, const nlohmann::json& list);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_LATE_REFUSALS_H_
