#include "ceremony/estate/intact.h"

#include <fmt/format.h>

#include "ceremony/record/entry.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/rules.h"
#include "ceremony/record/storage.h"
#include "ceremony/record/verify.h"
#include "hsm/base/counted.h"

namespace ceremony::estate {
namespace {

// The estate is what logs say, with the rosters that they were written with and for. Another file of a record is held
// to its digest by whoever reads it (RUN-ARTEFACT-01), and a share file that is damaged comes from its holder's own
// stick instead (SHARE-FILE-01).
bool IsOfEstate(const record::Finding& finding, const RecordSummary& summary) {
  const record::Rule* const rule = record::FindRule(finding.rule);
  if (rule != nullptr && rule->severity != record::Severity::kInvalid) return false;
  return finding.path.empty() || finding.path == record::JoinPath(record::kInputsFolder, record::kRosterFile) ||
         finding.path == record::JoinPath(record::kArtefactsFolder, summary.roster);
}

base::Error NotAsSigned(const RecordSummary& summary, const std::string& why) {
  return base::Refusal("EST-FOLD-03", fmt::format("record {} is not what was signed: {}", summary.folder, why),
                       "put back the record as it was closed; `keyceremony verify` says what is wrong with this one");
}

base::Result<void> CheckRecord(const std::string& archive, const RecordSummary& summary) {
  // Only the newest is open at any time (ARCHIVE-OPEN-01): of another somebody has taken something away.
  if (!summary.complete && !summary.left_behind)
    return NotAsSigned(summary, "it is not complete, and others follow it");
  KC_ASSIGN_OR_RETURN(const record::RecordReport report,
                      record::VerifyRecord(record::JoinPath(archive, summary.folder), {}));
  // Nobody has closed it: the people of the next one have signed what it was.
  if (const auto& left = summary.left_behind; left && (left->size != report.entries || left->root != report.log_root)) {
    return NotAsSigned(summary, fmt::format("it has {} now, and the next ceremony left it behind with {}",
                                            base::Counted(report.entries, "entry", "entries"),
                                            report.entries == left->size ? "others" : std::to_string(left->size)));
  }
  for (const record::Finding& finding : report.findings) {
    if (!IsOfEstate(finding, summary)) continue;
    return NotAsSigned(summary, fmt::format("[{}] {}", finding.rule, finding.message));
  }
  // What was left out may be of the estate.
  if (report.more > 0 && report.verdict == record::Verdict::kInvalid)
    return NotAsSigned(summary, fmt::format("{} things are wrong", report.findings.size() + report.more));
  return {};
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
    // Of one that was left behind before anything was signed there is no checkpoint to follow.
    if (!record.left_behind || record.has_checkpoint) before = record.origin;
  }
  return {};
}

base::Result<void> CheckIntact(const std::string& archive, const Folded& folded) {
  KC_RETURN_IF_ERROR(CheckChain(folded.records));
  for (const RecordSummary& summary : folded.records) {
    // Who goes on with the newest one recovers it, and a log without entries says nothing.
    const bool may_be_open = &summary == &folded.records.back() || summary.entries == 0;
    if (!summary.complete && !summary.left_behind && may_be_open) continue;
    KC_RETURN_IF_ERROR(CheckRecord(archive, summary));
  }
  return {};
}

}  // namespace ceremony::estate
