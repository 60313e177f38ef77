// Two runs of one script, step by step: the live token and the backup, or this
// year and the last (R14). Timings differ always; results should not.
#ifndef CEREMONY_ESTATE_COMPARISON_H_
#define CEREMONY_ESTATE_COMPARISON_H_

#include <cstdint>
#include <string>
#include <vector>

#include "hsm/base/result.h"

namespace ceremony::estate {

// StepOutcome is what a record says of one step, all its attempts taken together.
struct StepOutcome {
  std::string id, kind;
  std::string phase;  // of the last attempt: "end", "failed", "skipped"; "begin": it was cut off
  int attempts = 0;
  std::int64_t microseconds = 0;       // of the last attempt, people's time included
  std::int64_t call_count = 0;         // PKCS#11 calls of the last attempt
  std::int64_t call_microseconds = 0;  // inside them
  // What consequential calls answered, and what was refused: "C_Sign CKM_ECDSA CKR_OK", "refused KEY-SIGN-01".
  // Names that differ from run to run (handles, ids, serials) are not in it.
  std::vector<std::string> results;
};

struct RecordOutcome {
  std::string ceremony;             // id of the script
  std::string script_sha256;        // of the script's bytes
  std::vector<std::string> tokens;  // "root-hsm (serial ...)" of the `open` entry
  std::vector<StepOutcome> steps;   // in the order in which they began
};

// ReadOutcome reads a record's folder. It trusts it, as the fold does. kCorrupt EST-FOLD-01 for a line that is no
// entry.
base::Result<RecordOutcome> ReadOutcome(const std::string& record);

struct StepComparison {
  std::string id;
  const StepOutcome* first = nullptr;  // nullptr: not in that record
  const StepOutcome* second = nullptr;
  std::vector<std::string> differences;  // in words; empty: the same result
};

// Compare puts the steps side by side, in the order of the first, then what only the second has.
std::vector<StepComparison> Compare(const RecordOutcome& first, const RecordOutcome& second);

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_COMPARISON_H_
