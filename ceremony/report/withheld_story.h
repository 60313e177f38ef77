// What a record or a bundle leaves out, for a report: fields that entries hold as
// salted digests, and the ledger of a bundle (docs/record-format.md section 6). The
// verdict says whether it is true.
#ifndef CEREMONY_REPORT_WITHHELD_STORY_H_
#define CEREMONY_REPORT_WITHHELD_STORY_H_

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "ceremony/record/reader.h"
#include "ceremony/report/report_data.h"
#include "hsm/base/result.h"

namespace ceremony::report {

// Openings are the values in disclosures.jsonl of a bundle: JSON text by salted digest.
using Openings = std::map<std::string, std::string>;

// ReadOpenings reads the openings of a bundle. It skips a line that opens nothing, and a
// file that is too large. kIo when the file exists and cannot be read.
base::Result<Openings> ReadOpenings(const record::RecordFolder& folder);

// ReadLedger reads withheld.jsonl up to the first line that does not have its form.
base::Result<Ledger> ReadLedger(const record::RecordFolder& folder);

// TellSalted replaces each salted digest of an entry by its opened value, or by words,
// and adds a row for it to `fields`.
void TellSalted(nlohmann::json& entry, std::uint64_t seq, const Openings& openings, std::vector<SaltedField>& fields);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_WITHHELD_STORY_H_
