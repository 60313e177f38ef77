#include "ceremony/estate/intact.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/record/record_name.h"
#include "ceremony/record/rules.h"
#include "ceremony/record/storage.h"
#include "ceremony/record/verify.h"

namespace ceremony::estate {
namespace {

// The estate is what logs say, with the roster that one has written for the next. Another file of a record is held to
// its digest by whoever reads it (RUN-ARTEFACT-01), and a share file that is damaged comes from its holder's own stick
// instead (SHARE-FILE-01).
bool IsOfEstate(const record::Finding& finding) {
  if (record::FindRule(finding.rule)->severity != record::Severity::kInvalid) return false;
  const bool is_file = finding.rule == "ART-DIGEST" || finding.rule == "ART-MISSING";
  return !is_file || finding.message.find(record::kRosterFile) != std::string::npos;
}

}  // namespace

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
    const auto found = std::find_if(report.findings.begin(), report.findings.end(), IsOfEstate);
    if (found == report.findings.end()) continue;
    return base::Refusal(
        "EST-FOLD-03",
        fmt::format("record {} is not what was signed: [{}] {}", summary.folder, found->rule, found->message),
        "put back the record as it was closed; `keyceremony verify` says what is wrong with this one");
  }
  return {};
}

}  // namespace ceremony::estate
