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

// The order of verdicts is that of Severity.
int Rank(Verdict verdict) { return static_cast<int>(verdict); }

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
  std::string kept_origin;
  if (options.checkpoint_note) {
    Result<SignedCheckpoint> kept = ParseSignedCheckpoint(*options.checkpoint_note, "the checkpoint you gave");
    if (!kept.ok()) {
      base::Error error = std::move(kept).error();
      error.code = base::ErrorCode::kInvalidInput;
      return error;
    }
    kept_origin = kept->checkpoint.origin;
  }

  ArchiveReport report;
  Findings findings;
  std::map<std::string, std::string> folder_of_origin;
  KeyBook keys;
  Succession people(options.trust);
  std::vector<std::pair<std::size_t, RecordReport>> of_others;  // what the reader's roster makes of them
  std::optional<Checkpoint> before;
  std::uint64_t expected = 1;
  for (const std::string& name : names) {
    const std::uint64_t number = *RecordNumber(name);
    if (number != expected) {
      findings.Add("ARC-ORDER", std::nullopt,
                   name + " stands where number " + std::to_string(expected) + " is expected");
    }
    expected = number + 1;
    // Each look at a record begins with the keys of those before it.
    const KeyBook before_it = keys;
    const auto look = [&](const VerifyOptions& how) {
      VerifyOptions with_keys = how;
      keys = before_it;
      with_keys.keys = &keys;
      return VerifyRecord(folder + "/" + name, with_keys);
    };
    VerifyOptions how{people.trust(), options.threads, std::nullopt};
    how.contents = options.contents;
    KC_ASSIGN_OR_RETURN(RecordReport record, look(how));
    if (!people.begun() && Found(record, "QUO-POLICY")) {
      // The reader's roster may be of later people: then nobody vouches for this record by name, but those who vouch
      // for a later one do, which names its checkpoint.
      how.trust = nullptr;
      KC_ASSIGN_OR_RETURN(RecordReport alone, look(how));
      if (alone.verdict != Verdict::kInvalid) {
        of_others.emplace_back(report.records.size(), std::move(record));
        record = std::move(alone);
      }
    }
    if (!kept_origin.empty() && record.origin == kept_origin) {
      how.checkpoint_note = options.checkpoint_note;
      how.witnesses = options.witnesses;
      how.stamp = options.stamp;
      KC_ASSIGN_OR_RETURN(record, look(how));
    }
    people.Follow(record);
    record.next_roster.reset();  // it may be large
    record.folder = name;
    if (!record.ceremony.empty() && name.substr(name.find('-') + 1) != record.ceremony) {
      findings.Add("ARC-ORDER", std::nullopt, name + " holds the record of the ceremony " + record.ceremony);
    }
    if (!record.origin.empty()) {
      const auto [other, fresh] = folder_of_origin.emplace(record.origin, name);
      if (!fresh)
        findings.Add("ARC-ORIGIN", std::nullopt,
                     name + " and " + other->second + " have the same origin " + record.origin);
      if (record.previous != before) {
        findings.Add(
            "ARC-CHAIN", std::nullopt,
            name + " follows " + Words(record.previous) + ", but the record before it ends with " + Words(before));
      }
    }
    // A ceremony that was broken off is continued from what it signed last; one
    // that never signed anything is passed over.
    if (record.last) before = record.last;
    const auto opened = std::find_if(report.records.rbegin(), report.records.rend(),
                                     [](const RecordReport& earlier) { return !earlier.origin.empty(); });
    CheckLeftBehind(record, opened == report.records.rend() ? nullptr : &*opened, findings);
    report.records.push_back(std::move(record));
  }
  if (!kept_origin.empty() && !folder_of_origin.contains(kept_origin)) {
    findings.Add("ARC-ORIGIN", std::nullopt, "no record has the origin of the checkpoint you gave, " + kept_origin);
  }

  for (auto& [index, judged] : of_others) {
    RecordReport& record = report.records[index];
    judged.folder = record.folder;
    if (people.begun()) {
      findings.Add("ARC-ROSTER", std::nullopt,
                   record.folder + " was vouched for by other people than those of the roster, before it was theirs");
    } else {
      record = std::move(judged);
    }
  }
  report.verdict = findings.verdict();
  for (const RecordReport& record : report.records) {
    if (Rank(record.verdict) > Rank(report.verdict)) report.verdict = record.verdict;
  }
  report.findings = findings.list();
  return report;
}

}  // namespace ceremony::record
