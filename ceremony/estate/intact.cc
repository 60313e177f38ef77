#include "ceremony/estate/intact.h"

#include <fmt/format.h>

#include "ceremony/record/storage.h"
#include "ceremony/record/verify.h"

namespace ceremony::estate {

base::Result<void> CheckChain(const std::vector<RecordSummary>& records) {
  std::string before;
  for (const RecordSummary& record : records) {
    if (!record.opened) continue;  // it never said anything, and nobody follows it
    if (record.previous && *record.previous != before) {
      return base::Refusal("EST-FOLD-02",
                           fmt::format("record {} follows {}, and in this archive it stands {}", record.folder,
                                       record.previous->empty() ? "nothing" : *record.previous,
                                       before.empty() ? "first" : "after " + before),
                           "a record is missing, and with it whose its keys are: put it back, and verify the archive");
    }
    before = record.origin;
  }
  return {};
}

base::Result<void> CheckIntact(const std::string& archive, const Folded& folded) {
  KC_RETURN_IF_ERROR(CheckChain(folded.records));
  for (const RecordSummary& summary : folded.records) {
    if (!summary.complete) continue;  // who goes on with it recovers it
    KC_ASSIGN_OR_RETURN(const record::RecordReport report,
                        record::VerifyRecord(record::JoinPath(archive, summary.folder), {}));
    if (report.verdict != record::Verdict::kInvalid) continue;
    const std::string why =
        report.findings.empty() ? "" : fmt::format(": [{}] {}", report.findings[0].rule, report.findings[0].message);
    return base::Refusal("EST-FOLD-03", fmt::format("record {} is not what was signed{}", summary.folder, why),
                         "put back the record as it was closed; `keyceremony verify` says what is wrong with this one");
  }
  return {};
}

}  // namespace ceremony::estate
