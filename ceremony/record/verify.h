// VerifyRecord and VerifyArchive give the verdict on what a ceremony wrote:
// docs/record-format.md section 7. They write nothing. They need no token and no
// network, only the folder and the auditor's own roster.
#ifndef CEREMONY_RECORD_VERIFY_H_
#define CEREMONY_RECORD_VERIFY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/checkpoint.h"
#include "ceremony/record/trust.h"
#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::record {

enum class Verdict : std::uint8_t { kComplete, kUnpinned, kIncomplete, kFork, kInvalid };
std::string_view VerdictName(Verdict verdict);  // "COMPLETE", ...
// ExitStatusOf is the status a program ends with: 0 COMPLETE, 1 INVALID,
// 6 INCOMPLETE, 7 UNPINNED, 8 FORK.
int ExitStatusOf(Verdict verdict);

struct Finding {
  std::string rule;                    // an id of rules.h
  std::optional<std::uint64_t> entry;  // its `seq`, when the finding is about one entry
  std::string message;
  std::string path{};  // ART-MISSING, ART-DIGEST: the file, below the record's folder; empty for other rules
};

// A report keeps this many findings; RecordReport::more counts the others.
inline constexpr std::size_t kMaxFindings = 200;

// WithheldCount counts one kind of things that a published bundle leaves out.
struct WithheldCount {
  std::string what;    // "attend", the type of entries; "file"; "field employer"
  std::string reason;  // its code; empty for fields, which were withheld when the entry was written
  std::uint64_t count = 0;
};

// Witnessing is the statement of a transparency-log witness about a checkpoint.
struct Witnessing {
  std::string witness;  // key name
  std::uint64_t size = 0;
  std::int64_t seconds = 0;  // since 1970
};

struct RecordReport {
  Verdict verdict = Verdict::kInvalid;
  std::string folder;
  std::string origin;
  std::string ceremony;
  std::string mode;           // "rehearsal", "production", empty when unknown
  std::string environment;    // as `open` says it: "uit"; empty when unknown
  std::uint64_t entries = 0;  // whole lines of the log
  bool closed = false;
  std::optional<Checkpoint> last;      // the largest checkpoint that verifies
  std::optional<Hash> log_root;        // over all whole lines
  std::vector<std::string> cosigners;  // people on the final checkpoint
  std::optional<Checkpoint> previous;  // what `open` names as the record before
  // If `open` says that the record before it was left behind, because nobody could close it: all entries of that
  // record, and their root.
  std::optional<Checkpoint> left_behind;
  std::string label;                    // of a published bundle: the highest that it shows
  std::vector<WithheldCount> withheld;  // what it leaves out
  std::vector<Witnessing> witnessings;
  std::string stamped_at, stamped_by;  // by a time-stamping authority; empty: none was given, or it is no good
  std::vector<Finding> findings;
  std::uint64_t more = 0;
  // The roster of the next record: artefacts/roster.json, if a step appointed or retired somebody and the quorum
  // approved these bytes. Nothing if there is none, or it is withheld.
  std::optional<std::string> next_roster;
};

class ContentAudit;
class KeyBook;
class WitnessKey;

// StampToCheck is a time-stamp that the reader brings (timestamp.h).
struct StampToCheck {
  base::Bytes response;  // DER
  base::Bytes request;   // DER; empty: none
  std::string roots;     // PEM
};

struct VerifyOptions {
  const Trust* trust = nullptr;  // not owned; nullptr: nothing is pinned
  unsigned threads = 1;          // 1..64
  // A signed checkpoint that the auditor kept from elsewhere: the record must
  // extend it.
  std::optional<std::string> checkpoint_note;
  // Witnesses that must have cosigned that checkpoint; not owned.
  const std::vector<WitnessKey>* witnesses = nullptr;
  const StampToCheck* stamp = nullptr;  // not owned
  // Keys of the records before; not owned. VerifyRecord adds the keys of this one.
  KeyBook* keys = nullptr;
  // Checks the contents of files (content_audit.h); not owned. nullptr: only the
  // digests of files are compared.
  ContentAudit* contents = nullptr;
};

// VerifyRecord verifies one record. Programs call verify/verify.h, which also reads
// certificates. It fails (kNotFound, kIo) only when it could not read; everything
// wrong with what it read is in the report.
base::Result<RecordReport> VerifyRecord(const std::string& folder, const VerifyOptions& options);

struct ArchiveReport {
  Verdict verdict = Verdict::kInvalid;  // the worst of the records and of `findings`
  std::vector<RecordReport> records;    // in order
  std::vector<Finding> findings;        // about the chain (ARC-...)
};

// IsArchive tells an archive (it has folders NNNN-<ceremony id>) from a record.
base::Result<bool> IsArchive(const std::string& folder);

// VerifyArchive verifies every record, and the chain of `open.previous`.
// `options.trust` is the roster of the first record. A record that is COMPLETE by it may
// have written a new roster (RecordReport::next_roster), which is trusted for the records
// after it. Records before the first one that fits `options.trust` are UNPINNED
// (ARC-ROSTER), or INVALID if none fits.
// `options.checkpoint_note` is compared with the record of its origin; it is a finding
// if there is no such record.
base::Result<ArchiveReport> VerifyArchive(const std::string& folder, const VerifyOptions& options);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_VERIFY_H_
