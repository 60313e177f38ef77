#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "ceremony/record/entry.h"
#include "ceremony/record/findings.h"
#include "ceremony/record/folder_audit.h"
#include "ceremony/record/key_book.h"
#include "ceremony/record/reader.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/trust.h"
#include "ceremony/record/verify.h"
#include "hsm/base/counted.h"

namespace ceremony::record {
namespace {

using base::Result;

Result<std::vector<std::string>> RecordsIn(const std::string& path) {
  KC_ASSIGN_OR_RETURN(const RecordFolder folder, RecordFolder::Open(path));
  return RecordNames(folder);
}

std::string Words(const std::optional<Checkpoint>& checkpoint) {
  if (!checkpoint) return "no record";
  return checkpoint->origin + " at " + std::to_string(checkpoint->size) + " entries";
}

bool Found(const RecordReport& record, std::string_view rule) {
  return std::any_of(record.findings.begin(), record.findings.end(),
                     [&](const Finding& finding) { return finding.rule == rule; });
}

// Custodians come and go. Whom the reader trusts has approved, in a record that is COMPLETE, the roster of the next one
// (custodian.appoint, custodian.retire), and so vouches for those who vouch after them.
class Succession final {
 public:
  explicit Succession(const Trust* pinned) : trust_(pinned) {}

  const Trust* trust() const { return trust_; }
  // Whether some record was vouched for by somebody the reader trusts.
  bool begun() const { return begun_; }

  void Follow(const RecordReport& record) {
    if (trust_ == nullptr || record.verdict != Verdict::kComplete) return;
    begun_ = true;
    if (!record.next_roster) return;  // those who vouched go on
    auto next = Trust::ParseRoster(*record.next_roster);
    if (!next.ok() || next->estate() != trust_->estate()) return;
    rosters_.push_back(std::make_unique<Trust>(std::move(next).value()));
    trust_ = rosters_.back().get();
  }

 private:
  const Trust* trust_;
  std::vector<std::unique_ptr<Trust>> rosters_;
  bool begun_ = false;
};

// The quorum of a record that leaves another behind signs what that one was then, its tail without a signature
// included.
void CheckLeftBehind(const RecordReport& record, const RecordReport* left, Findings& findings) {
  if (!record.left_behind) return;
  const Checkpoint& then = *record.left_behind;
  if (left == nullptr || left->origin != then.origin || left->entries != then.size || left->log_root != then.root) {
    findings.Add("ARC-LEFT", std::nullopt,
                 record.folder + " left behind " + Words(then) + ", and the record before it is not that");
    return;
  }
  findings.Add("ARC-LEFT-BEHIND", std::nullopt,
               left->folder + " was left behind by " + record.folder + " as it was, after " +
                   base::Counted(then.size, "entry", "entries"));
}

// FindStrays tells of records that stand in the archive under no number, and are none of it.
Result<void> FindStrays(const std::string& folder, Findings& findings) {
  KC_ASSIGN_OR_RETURN(const RecordFolder opened, RecordFolder::Open(folder));
  KC_ASSIGN_OR_RETURN(const std::vector<std::string> names, opened.Folders());
  for (const std::string& name : names) {
    if (!RecordNumber(name) && opened.OpenFile(name + "/" + std::string(kLogFile)).ok())
      findings.Add("ARC-STRAY", std::nullopt, name + " has a log and no number: it is no record of this archive");
  }
  return {};
}

// The order of verdicts is that of Severity.
int Rank(Verdict verdict) { return static_cast<int>(verdict); }

// ArchiveAudit looks at the records of an archive in their order.
class ArchiveAudit final {
 public:
  ArchiveAudit(const std::string& folder, const VerifyOptions& options)
      : folder_(folder), options_(options), people_(options.trust) {}

  Result<ArchiveReport> Run(const std::vector<std::string>& names) {
    KC_RETURN_IF_ERROR(ReadKeptCheckpoint());
    for (const std::string& name : names) {
      CheckNumber(name);
      KC_ASSIGN_OR_RETURN(RecordReport record, Judge(name));
      people_.Follow(record);
      record.next_roster.reset();  // it may be large
      record.folder = name;
      CheckPlace(record);
      report_.records.push_back(std::move(record));
    }
    KC_RETURN_IF_ERROR(FindStrays(folder_, findings_));
    if (!kept_origin_.empty() && !folder_of_origin_.contains(kept_origin_))
      findings_.Add("ARC-ORIGIN", std::nullopt, "no record has the origin of the checkpoint you gave, " + kept_origin_);
    SettleOthers();
    report_.verdict = findings_.verdict();
    for (const RecordReport& record : report_.records) {
      if (Rank(record.verdict) > Rank(report_.verdict)) report_.verdict = record.verdict;
    }
    report_.findings = findings_.list();
    return std::move(report_);
  }

 private:
  Result<void> ReadKeptCheckpoint() {
    if (!options_.checkpoint_note) return {};
    Result<SignedCheckpoint> kept = ParseSignedCheckpoint(*options_.checkpoint_note, "the checkpoint you gave");
    if (!kept.ok()) {
      base::Error error = std::move(kept).error();
      error.code = base::ErrorCode::kInvalidInput;
      return error;
    }
    kept_origin_ = kept->checkpoint.origin;
    return {};
  }

  void CheckNumber(const std::string& name) {
    const std::uint64_t number = *RecordNumber(name);
    if (number != expected_) {
      findings_.Add("ARC-ORDER", std::nullopt,
                    name + " stands where number " + std::to_string(expected_) + " is expected");
    }
    expected_ = number + 1;
  }

  Result<RecordReport> Judge(const std::string& name) {
    // Each look at a record begins with the keys of those before it.
    const KeyBook before_it = keys_;
    const auto look = [&](const VerifyOptions& how) {
      VerifyOptions with_keys = how;
      keys_ = before_it;
      with_keys.keys = &keys_;
      return VerifyRecord(folder_ + "/" + name, with_keys);
    };
    VerifyOptions how{people_.trust(), options_.threads, std::nullopt};
    how.contents = options_.contents;
    KC_ASSIGN_OR_RETURN(RecordReport record, look(how));
    if (!people_.begun() && Found(record, "QUO-POLICY")) {
      // The reader's roster may be of later people: then nobody vouches for this record by name, but those who vouch
      // for a later one do, which names its checkpoint.
      how.trust = nullptr;
      KC_ASSIGN_OR_RETURN(RecordReport alone, look(how));
      if (alone.verdict != Verdict::kInvalid) {
        of_others_.emplace_back(report_.records.size(), std::move(record));
        record = std::move(alone);
      }
    }
    if (!kept_origin_.empty() && record.origin == kept_origin_) {
      how.checkpoint_note = options_.checkpoint_note;
      how.witnesses = options_.witnesses;
      how.stamp = options_.stamp;
      KC_ASSIGN_OR_RETURN(record, look(how));
    }
    return record;
  }

  // CheckPlace compares a record with its folder's name and with the records before it.
  void CheckPlace(const RecordReport& record) {
    const std::string& name = record.folder;
    if (!record.ceremony.empty() && name.substr(name.find('-') + 1) != record.ceremony)
      findings_.Add("ARC-ORDER", std::nullopt, name + " holds the record of the ceremony " + record.ceremony);
    if (!record.origin.empty()) {
      const auto [other, fresh] = folder_of_origin_.emplace(record.origin, name);
      if (!fresh)
        findings_.Add("ARC-ORIGIN", std::nullopt,
                      name + " and " + other->second + " have the same origin " + record.origin);
      if (record.previous != before_) {
        findings_.Add(
            "ARC-CHAIN", std::nullopt,
            name + " follows " + Words(record.previous) + ", but the record before it ends with " + Words(before_));
      }
    }
    // A ceremony that was broken off is continued from what it signed last; one
    // that never signed anything is passed over.
    if (record.last) before_ = record.last;
    const auto opened = std::find_if(report_.records.rbegin(), report_.records.rend(),
                                     [](const RecordReport& earlier) { return !earlier.origin.empty(); });
    CheckLeftBehind(record, opened == report_.records.rend() ? nullptr : &*opened, findings_);
  }

  // SettleOthers: a record of other people counts if somebody the reader trusts vouched for a later one.
  void SettleOthers() {
    for (auto& [index, judged] : of_others_) {
      RecordReport& record = report_.records[index];
      judged.folder = record.folder;
      if (people_.begun()) {
        findings_.Add(
            "ARC-ROSTER", std::nullopt,
            record.folder + " was vouched for by other people than those of the roster, before it was theirs");
      } else {
        record = std::move(judged);
      }
    }
  }

  const std::string& folder_;
  const VerifyOptions& options_;
  ArchiveReport report_;
  Findings findings_;
  Succession people_;
  KeyBook keys_;
  std::string kept_origin_;  // of the checkpoint that the reader gave; empty: none
  std::map<std::string, std::string> folder_of_origin_;
  std::vector<std::pair<std::size_t, RecordReport>> of_others_;  // place, and what the reader's roster makes of it
  std::optional<Checkpoint> before_;                             // the newest that a record before has
  std::uint64_t expected_ = 1;                                   // number of the next record
};

}  // namespace

Result<bool> IsArchive(const std::string& folder) {
  KC_ASSIGN_OR_RETURN(const std::vector<std::string> records, RecordsIn(folder));
  return !records.empty();
}

Result<ArchiveReport> VerifyArchive(const std::string& folder, const VerifyOptions& options) {
  KC_ASSIGN_OR_RETURN(const std::vector<std::string> names, RecordsIn(folder));
  if (names.empty()) {
    return base::MakeError(base::ErrorCode::kNotFound,
                           folder + " holds no record: no folder is named NNNN-<ceremony id>");
  }
  return ArchiveAudit(folder, options).Run(names);
}

}  // namespace ceremony::record
