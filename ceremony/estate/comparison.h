// Two runs of one script, step by step: the live token and the backup, or this
// year and the last (R14). Timings always differ; results should not.
#ifndef CEREMONY_ESTATE_COMPARISON_H_
#define CEREMONY_ESTATE_COMPARISON_H_

#include <cstdint>
#include <string>
#include <vector>

#include "hsm/base/result.h"

namespace ceremony::estate {

// StepOutcome sums up all attempts at one step of a record.
struct StepOutcome {
  std::string id, kind;
  std::string phase;  // of the last attempt: "end", "failed", "skipped"; "begin": it was cut off
  int attempts = 0;
  std::int64_t microseconds = 0;       // of the last attempt, with the time that people took
  std::int64_t call_count = 0;         // PKCS#11 calls of the last attempt
  std::int64_t call_microseconds = 0;  // spent in those calls
  // Results of consequential calls, and refusals: "C_Sign CKM_ECDSA CKR_OK", "refused KEY-SIGN-01".
  // Without names that differ from run to run (handles, ids, serials).
  std::vector<std::string> results;
};

struct RecordOutcome {
  std::string ceremony;       // id of the script
  std::string script_sha256;  // of the script's bytes
  // Name and serial number, as `open` has them, or the step that took the token into service.
  std::vector<std::pair<std::string, std::string>> tokens;
  std::vector<StepOutcome> steps;  // in the order they began
};

// ReadOutcome reads a record's folder, and trusts it as the fold does. kCorrupt EST-FOLD-01 for a line that is not an
// entry.
base::Result<RecordOutcome> ReadOutcome(const std::string& record);

struct StepComparison {
  std::string id;
  const StepOutcome* first = nullptr;  // nullptr: not in that record
  const StepOutcome* second = nullptr;
  std::vector<std::string> differences;  // in words; empty: the same result
};

// Compare pairs the steps, in the order of the first record. Steps that only the second has come last.
std::vector<StepComparison> Compare(const RecordOutcome& first, const RecordOutcome& second);

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_COMPARISON_H_
