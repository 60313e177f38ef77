#include "ceremony/record/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <set>

#include "ceremony/record/content_audit.h"
#include "ceremony/record/disclosure_audit.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/findings.h"
#include "ceremony/record/folder_audit.h"
#include "ceremony/record/log_audit.h"
#include "ceremony/record/log_reader.h"
#include "ceremony/record/log_scan.h"
#include "ceremony/record/reader.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/signatures_ahead.h"
#include "ceremony/record/timestamp.h"
#include "ceremony/record/withheld.h"
#include "ceremony/record/witness.h"
#include "hsm/base/digest.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::FileDescriptor;
using base::Result;

constexpr std::size_t kMaxRosterBytes = std::size_t{16} << 20;

// Reach is how far signatures carry: the largest size at which a checkpoint by
// the log key and the tree agree.
class Reach final {
 public:
  Reach(const LogAudit& log, Findings& findings) : log_(log), findings_(findings), last_(log.last_checkpoint()) {
    for (const Mismatch& mismatch : log.mismatches()) mismatches_.push_back(mismatch);
  }

  // Hold compares a checkpoint that came as a file with the log; true when the
  // log has it.
  bool Hold(const SignedCheckpoint& file) {
    if (!log_.log_key()) return false;
    if (file.checkpoint.origin != log_.origin()) {
      findings_.Add("REC-ORIGIN", std::nullopt,
                    file.what + " is of \"" + file.checkpoint.origin + "\", the record is \"" + log_.origin() + "\"");
      return false;
    }
    if (!CheckLogSignature(file.note, *log_.log_key(), file.what, std::nullopt, findings_)) return false;
    for (const SignedCheckpoint& other : files_) {
      if (other.checkpoint.size == file.checkpoint.size && other.checkpoint.root != file.checkpoint.root) {
        findings_.Add("REC-FORK", std::nullopt,
                      file.what + " and " + other.what + " have different roots for the same " +
                          std::to_string(file.checkpoint.size) + " entries");
      }
    }
    files_.push_back(file);
    if (file.checkpoint.size > log_.entries()) {
      findings_.Add("REC-SHORT", std::nullopt,
                    file.what + " covers " + std::to_string(file.checkpoint.size) + " entries, the log has " +
                        std::to_string(log_.entries()));
      return false;
    }
    if (log_.RootAt(file.checkpoint.size) != file.checkpoint.root) {
      mismatches_.push_back({file.checkpoint, std::nullopt});
      return false;
    }
    if (!last_ || last_->size < file.checkpoint.size) last_ = file.checkpoint;
    return true;
  }

  // Settle says what the mismatches mean. When the log key signed a tree that
  // holds these very entries and more, then it signed two histories; otherwise
  // entries were changed after it signed.
  void Settle() {
    for (const Mismatch& mismatch : mismatches_) {
      const std::string covers =
          "the root signed for the first " + std::to_string(mismatch.checkpoint.size) + " entries is not theirs";
      if (last_ && last_->size >= mismatch.checkpoint.size) {
        findings_.Add("REC-FORK", mismatch.entry,
                      covers + ", although the log key also signed the log up to entry " + std::to_string(last_->size));
      } else {
        findings_.Add("REC-ROOT", mismatch.entry, covers);
      }
    }
  }

  const std::optional<Checkpoint>& last() const { return last_; }

 private:
  const LogAudit& log_;
  Findings& findings_;
  std::optional<Checkpoint> last_;
  std::vector<Mismatch> mismatches_;
  std::vector<SignedCheckpoint> files_;
};

void CheckEnd(const LogAudit& log, const FolderAudit& files, const std::optional<Checkpoint>& last,
              Findings& findings) {
  const std::uint64_t covered = last ? last->size : 0;
  // A checkpoint entry at the very end speaks for all before it, and nothing
  // for itself: that is as far as a log can be signed from inside.
  const bool signed_to_end =
      covered == log.entries() || (last && log.last_checkpoint() == last && covered + 1 == log.entries());
  if (log.entries() > 0 && !signed_to_end) {
    findings.Add("REC-TAIL", covered,
                 "entries " + std::to_string(covered) + " to " + std::to_string(log.entries() - 1) +
                     " are covered by no signed checkpoint");
  }
  if (log.after_close() && *log.after_close() < covered) {
    findings.Add("REC-CLOSE", log.after_close(), "an entry after close");
  }
  if (!log.close_entry()) {
    findings.Add("REC-NOT-CLOSED", std::nullopt, "the record has no close entry");
    return;
  }
  if (!files.final_checkpoint()) {
    findings.Add("REC-NO-CHECKPOINT", std::nullopt, "the record has no final checkpoint");
  } else if (files.final_checkpoint()->checkpoint.size != *log.close_entry() + 1) {
    findings.Add("REC-NO-CHECKPOINT", std::nullopt,
                 "the file checkpoint covers " + std::to_string(files.final_checkpoint()->checkpoint.size) +
                     " entries and not the " + std::to_string(*log.close_entry() + 1) + " up to close");
  }
  if (!files.has_addendum()) findings.Add("REC-NO-ADDENDUM", std::nullopt, "the record has no addendum");
}

struct Audit {
  const std::string& path;
  const VerifyOptions& options;
  Findings findings;
  RecordReport report;

  Result<void> Run();
  Result<void> ReadLog(const RecordFolder& folder, FolderAudit& files, WithheldAudit& withheld,
                       const std::optional<SignedCheckpoint>& kept);
  LogAudit::Options LogOptions(const RecordFolder& folder, const FolderAudit& files, WithheldAudit& withheld,
                               const std::optional<SignedCheckpoint>& kept) const;
  void CheckTail(const LogReader& reader, const LogAudit& log);
  Result<void> CheckFolder(const RecordFolder& folder, FolderAudit& files, const LogAudit& log, const LogReader& reader,
                           const std::optional<SignedCheckpoint>& kept, const std::optional<Electorate>& witnesses);
  void CheckQuorum(const std::optional<Electorate>& witnesses);
  void Describe(const LogAudit& log);
  void CheckWitnesses(const SignedCheckpoint& kept);
  Result<void> CheckStamp(const RecordFolder& folder);
  Result<void> TakeNextRoster(const RecordFolder& folder, const std::string& sha256);
};

Result<void> Audit::Run() {
  report.folder = path;
  KC_ASSIGN_OR_RETURN(const RecordFolder folder, RecordFolder::Open(path));
  std::optional<SignedCheckpoint> kept;
  if (options.checkpoint_note) {
    Result<SignedCheckpoint> parsed = ParseSignedCheckpoint(*options.checkpoint_note, "the checkpoint you gave");
    if (!parsed.ok()) {
      base::Error error = std::move(parsed).error();
      error.code = ErrorCode::kInvalidInput;
      return error;
    }
    kept = std::move(parsed).value();
  }
  WithheldAudit withheld(folder, findings);
  KC_RETURN_IF_ERROR(withheld.Begin());
  FolderAudit files(folder, options.trust, withheld, findings);
  KC_RETURN_IF_ERROR(files.ReadBeforeLog());
  return ReadLog(folder, files, withheld, kept);
}

Result<void> Audit::ReadLog(const RecordFolder& folder, FolderAudit& files, WithheldAudit& withheld,
                            const std::optional<SignedCheckpoint>& kept) {
  Result<FileDescriptor> file = folder.OpenFile(kLogFile);
  if (!file.ok()) {
    if (file.error().code == ErrorCode::kIo) return std::move(file).error();
    findings.Add("REC-LOG", std::nullopt, file.error().message);
    return {};
  }
  LogAudit::Options log_options = LogOptions(folder, files, withheld, kept);
  if (options.contents != nullptr) options.contents->Begin(path);
  DisclosureAudit disclosures(folder, findings);
  KC_RETURN_IF_ERROR(disclosures.Begin(withheld.has_ledger()));
  if (disclosures.is_wanted()) log_options.disclosures = &disclosures;
  const std::optional<Electorate> witnesses = log_options.voters.Witnesses();
  std::future<void> final_ahead, addendum_ahead;
  if (options.threads > 1 && witnesses) {
    if (files.final_checkpoint()) final_ahead = CosignaturesAhead(files.final_checkpoint()->note, *witnesses);
    if (files.addendum()) addendum_ahead = CosignaturesAhead(*files.addendum(), *witnesses);
  }
  LogAudit log(std::move(log_options), findings);
  LogReader reader(std::move(file).value());
  KC_RETURN_IF_ERROR(ScanLog(reader, std::clamp(options.threads, 1u, 64u), log));
  log.Finish();
  if (options.contents != nullptr) options.contents->Finish(findings);
  KC_RETURN_IF_ERROR(withheld.Finish(log.origin()));
  disclosures.Finish(log.close_entry().has_value());

  CheckTail(reader, log);
  KC_RETURN_IF_ERROR(CheckFolder(folder, files, log, reader, kept, witnesses));
  CheckQuorum(witnesses);
  KC_RETURN_IF_ERROR(TakeNextRoster(folder, log.next_roster()));
  Describe(log);
  if (withheld.head()) report.label = withheld.head()->label;
  report.withheld = withheld.Counts();
  for (WithheldCount& row : disclosures.Counts()) report.withheld.push_back(std::move(row));
  return {};
}

LogAudit::Options Audit::LogOptions(const RecordFolder& folder, const FolderAudit& files, WithheldAudit& withheld,
                                    const std::optional<SignedCheckpoint>& kept) const {
  LogAudit::Options log;
  log.voters = {options.trust, files.policy()};
  log.scripts = files.scripts();
  log.environments = files.environments();
  if (files.final_checkpoint()) log.wanted_sizes.insert(files.final_checkpoint()->checkpoint.size);
  if (kept) log.wanted_sizes.insert(kept->checkpoint.size);
  log.digest_file = files.has_addendum();
  log.withheld = &withheld;
  log.keys = options.keys;
  log.contents = options.contents;
  log.folder = &folder;
  log.second_thread = options.threads > 1;
  return log;
}

// CheckTail: the log must be read to its end, and have an entry.
void Audit::CheckTail(const LogReader& reader, const LogAudit& log) {
  if (reader.oversize()) {
    findings.Add("REC-SIZE", log.entries(), "the line is longer than 65535 bytes; nothing after it was read");
  } else if (reader.torn_bytes() > 0) {
    findings.Add("REC-TORN", log.entries(),
                 "the log ends with " + std::to_string(reader.torn_bytes()) + " bytes of a line that has no end");
  } else if (log.entries() == 0) {
    findings.Add("REC-EMPTY", std::nullopt, "the log has no entry");
  }
}

// CheckFolder compares the log with the checkpoints that were signed over it, and with the other files.
Result<void> Audit::CheckFolder(const RecordFolder& folder, FolderAudit& files, const LogAudit& log,
                                const LogReader& reader, const std::optional<SignedCheckpoint>& kept,
                                const std::optional<Electorate>& witnesses) {
  Reach reach(log, findings);
  bool final_holds = false;
  if (files.final_checkpoint()) final_holds = reach.Hold(*files.final_checkpoint());
  const bool kept_holds = kept && reach.Hold(*kept);
  if (kept_holds && options.witnesses != nullptr) CheckWitnesses(*kept);
  if (options.stamp != nullptr) KC_RETURN_IF_ERROR(CheckStamp(folder));
  reach.Settle();
  CheckEnd(log, files, reach.last(), findings);
  report.last = reach.last();
  report.cosigners = files.CheckCosigners(log, witnesses);
  const bool log_is_whole = final_holds && log.close_entry() && !log.after_close() && reader.torn_bytes() == 0 &&
                            !reader.oversize() && files.final_checkpoint()->checkpoint.size == *log.close_entry() + 1;
  return files.CheckFiles(log, witnesses, log_is_whole);
}

void Audit::CheckQuorum(const std::optional<Electorate>& witnesses) {
  if (witnesses && 2 * witnesses->m() <= witnesses->people()) {
    findings.Add(
        "QUO-MINORITY", std::nullopt,
        std::to_string(witnesses->m()) + " of " + std::to_string(witnesses->people()) + " custodians are a quorum");
  }
  if (options.trust == nullptr) {
    findings.Add("QUO-UNPINNED", std::nullopt,
                 "no roster was given, so the custodians' keys are only what the record itself says");
  }
}

void Audit::Describe(const LogAudit& log) {
  report.origin = log.origin();
  report.ceremony = log.ceremony();
  if (log.mode()) report.mode = ModeName(*log.mode());
  report.environment = log.environment();
  report.entries = log.entries();
  report.closed = log.close_entry().has_value();
  if (log.entries() > 0) report.log_root = log.Root();
  report.previous = log.previous();
  report.left_behind = log.left_behind();
}

void Audit::CheckWitnesses(const SignedCheckpoint& kept) {
  for (const WitnessKey& key : *options.witnesses) {
    bool is_found = false;
    for (const SignatureLine& line : kept.note.signatures) {
      if (!key.Made(line)) continue;
      is_found = true;
      const Result<std::uint64_t> seconds = key.Verify(kept.note.text, line);
      if (seconds.ok()) {
        report.witnessings.push_back({key.name(), kept.checkpoint.size, static_cast<std::int64_t>(*seconds)});
      } else {
        findings.Add("SIG-WITNESS", std::nullopt,
                     "the cosignature of the witness " + Quoted(key.name()) + ": " + seconds.error().message);
      }
    }
    if (!is_found) findings.Add("QUO-WITNESS", std::nullopt, Quoted(key.name()) + " has not cosigned " + kept.what);
  }
}

Result<void> Audit::CheckStamp(const RecordFolder& folder) {
  const Result<FileDigest> digest = folder.Digest(kCheckpointFile);
  if (!digest.ok()) {
    if (digest.error().code == ErrorCode::kIo) return digest.error();
    findings.Add("TIM-STAMP", std::nullopt, "there is no final checkpoint that it could be over");
    return {};
  }
  Result<Timestamp> stamp =
      VerifyTimestamp(options.stamp->response, digest->sha256, options.stamp->request, options.stamp->roots);
  if (stamp.ok()) {
    report.stamped_at = stamp->time;
    report.stamped_by = stamp->authority;
  } else if (stamp.error().code == ErrorCode::kCorrupt) {
    findings.Add("TIM-STAMP", std::nullopt, stamp.error().message);
  } else {
    return std::move(stamp).error();
  }
  return {};
}

// A file that lies under the name of a roster is one only if it has the digest that the quorum approved.
Result<void> Audit::TakeNextRoster(const RecordFolder& folder, const std::string& sha256) {
  if (sha256.empty()) return {};
  Result<std::string> text = folder.ReadSmall(fmt::format("{}/{}", kArtefactsFolder, kRosterFile), kMaxRosterBytes);
  if (text.ok()) {
    if (base::Sha256Hex(*text) == sha256) report.next_roster = std::move(text).value();
    return {};
  }
  return text.error().code == ErrorCode::kIo ? Result<void>(text.error()) : Result<void>();
}

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kComplete:
      return "COMPLETE";
    case Verdict::kUnpinned:
      return "UNPINNED";
    case Verdict::kIncomplete:
      return "INCOMPLETE";
    case Verdict::kFork:
      return "FORK";
    case Verdict::kInvalid:
      break;
  }
  return "INVALID";
}

int ExitStatusOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kComplete:
      return 0;
    case Verdict::kInvalid:
      return 1;
    case Verdict::kIncomplete:
      return 6;
    case Verdict::kUnpinned:
      return 7;
    case Verdict::kFork:
      return 8;
  }
  return 1;
}

Result<RecordReport> VerifyRecord(const std::string& folder, const VerifyOptions& options) {
  Audit audit{folder, options, {}, {}};
  KC_RETURN_IF_ERROR(audit.Run());
  audit.report.verdict = audit.findings.verdict();
  audit.report.findings = audit.findings.list();
  audit.report.more = audit.findings.more();
  return std::move(audit.report);
}

}  // namespace ceremony::record
