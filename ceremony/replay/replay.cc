#include "ceremony/replay/replay.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "ceremony/estate/fold.h"
#include "ceremony/record/json_member.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/storage.h"
#include "ceremony/replay/groups.h"
#include "ceremony/replay/stage.h"
#include "ceremony/verify/verify.h"

namespace ceremony::replay {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using record::TextOf;

// The records that stand before this one in its archive, when it goes on from one.
base::Result<std::vector<std::string>> RecordsBefore(const std::string& source, const std::string& folder,
                                                     const json& open) {
  const auto previous = open.find("previous");
  if (previous == open.end() || !previous->is_object()) return std::vector<std::string>();
  const std::string origin = TextOf(*previous, "origin");
  std::vector<std::string> before;
  bool found = false;
  if (record::RecordNumber(folder)) {
    KC_ASSIGN_OR_RETURN(const estate::Folded folded, estate::FoldArchive(source, folder));
    for (const estate::RecordSummary& record : folded.records) before.push_back(record.folder);
    found = !folded.records.empty() && folded.records.back().origin == origin;
  }
  if (found) return before;
  return base::Refusal(
      "REPLAY-ARCHIVE-01",
      fmt::format("{} goes on from the record {}, which does not stand before it in {}", folder, origin, source),
      "its keys and people come from there: give the record inside its whole archive");
}

base::Result<void> AddVerdict(Report& report) {
  KC_ASSIGN_OR_RETURN(const record::RecordReport verified, verify::VerifyRecord(report.record, {}));
  report.record_verdict = std::string(record::VerdictName(verified.verdict));
  if (verified.verdict != record::Verdict::kInvalid && verified.verdict != record::Verdict::kFork) return {};
  Difference difference;
  difference.reason = &FindReason("REPLAY-RECORD-01");
  difference.what = "the record is " + report.record_verdict;
  if (!verified.findings.empty()) {
    difference.recorded = fmt::format("[{}] {}", verified.findings.front().rule, verified.findings.front().message);
    difference.recorded_entry = verified.findings.front().entry;
  }
  report.comparison.differences.insert(report.comparison.differences.begin(), std::move(difference));
  return {};
}

base::Error NotToItsEnd(const std::string& before, const Reenacted& acted, const std::string& source,
                        const std::string& folder) {
  return base::Refusal(
      "REPLAY-ARCHIVE-02",
      fmt::format("{} could not be acted again to its end, at step {}: {}", before, acted.step, acted.stopped->message),
      fmt::format("what it made is missing for {}: see `keyceremony replay {}/{}`", folder, source, before));
}

// Of a replay that made no record there is one thing to say.
Difference NothingBegun(const Stop& stop, std::string lacking) {
  return {&FindReason(stop.for_softhsm ? "REPLAY-SOFTHSM-01" : "REPLAY-STEP-02"),
          "",
          0,
          "the whole ceremony",
          std::move(lacking),
          stop.message,
          {},
          {}};
}

Verdict VerdictOn(const Report& report) {
  if (report.comparison.CountUnexpected() > 0) return Verdict::kDiffers;
  return report.stop ? Verdict::kIncomplete : Verdict::kSame;
}

}  // namespace

std::string_view NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSame:
      return "SAME";
    case Verdict::kDiffers:
      return "DIFFERS";
    case Verdict::kIncomplete:
      break;
  }
  return "INCOMPLETE";
}

base::Result<Report> Replay(const std::string& record, const std::string& stage, const run::LoadModule& load) {
  Report report;
  const auto [source, folder] = record::SplitRecordPath(fs::absolute(record).string());
  report.record = record::JoinPath(source, folder);
  Side recorded{report.record};
  KC_ASSIGN_OR_RETURN(recorded.entries, ReadEntries(report.record));
  KC_ASSIGN_OR_RETURN(report.before, RecordsBefore(source, folder, recorded.entries.front()));

  Stage scene(source, stage, load);
  KC_RETURN_IF_ERROR(scene.Prepare());
  for (const std::string& before : report.before) {
    KC_ASSIGN_OR_RETURN(const Reenacted acted, scene.Reenact(before));
    if (acted.stopped) return NotToItsEnd(before, acted, source, folder);
  }
  KC_ASSIGN_OR_RETURN(const Reenacted acted, scene.Reenact(folder));
  if (acted.stopped) {
    // Where nothing was begun, any step may be what SoftHSM was found not to be able to do.
    const std::string at = acted.folder.empty() ? std::string() : acted.step;
    report.stop = Stop{at, acted.stopped->message, !CannotDo(recorded.entries, at, scene.mechanisms()).empty()};
  }
  if (acted.folder.empty()) {
    report.comparison.differences.push_back(
        NothingBegun(*report.stop, CannotDo(recorded.entries, "", scene.mechanisms())));
  } else {
    report.replayed = scene.archive() + "/" + acted.folder;
    Side replayed{report.replayed};
    KC_ASSIGN_OR_RETURN(replayed.entries, ReadEntries(report.replayed));
    report.comparison = CompareReplay(recorded, replayed, scene.mechanisms(), report.stop);
  }
  KC_RETURN_IF_ERROR(AddVerdict(report));
  if (report.stop && !report.stop->for_softhsm && report.comparison.CountUnexpected() == 0) {
    report.comparison.differences.push_back(
        {&FindReason("REPLAY-STEP-02"), report.stop->step, 0, "the replay", "went on", report.stop->message, {}, {}});
  }
  report.verdict = VerdictOn(report);
  return report;
}

}  // namespace ceremony::replay
