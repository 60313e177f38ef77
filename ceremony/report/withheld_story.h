// What a record or a bundle does not show, as a report tells it: fields that
// their entries hold as salted digests, and the ledger of a bundle
// (docs/record-format.md section 6). Whether it is true, the verdict says.
#ifndef CEREMONY_REPORT_WITHHELD_STORY_H_
#define CEREMONY_REPORT_WITHHELD_STORY_H_

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "ceremony/record/reader.h"
#include "ceremony/report/report_data.h"
#include "hsm/base/result.h"

namespace ceremony::report {

// Openings are what disclosures.jsonl of a bundle opens: JSON text by salted digest.
using Openings = std::map<std::string, std::string>;

// ReadOpenings reads those of a bundle; a line that opens nothing is left out, and
// so is a file that is too large. kIo when the file is there and cannot be read.
base::Result<Openings> ReadOpenings(const record::RecordFolder& folder);

// ReadLedger reads withheld.jsonl, up to the first line that has not its form.
base::Result<Ledger> ReadLedger(const record::RecordFolder& folder);

// TellSalted puts words in the place of each salted digest of an entry, or the
// value that an opening has for it, and adds a row for it to `fields`.
void TellSalted(nlohmann::json& entry, std::uint64_t seq, const Openings& openings, std::vector<SaltedField>& fields);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_WITHHELD_STORY_H_
