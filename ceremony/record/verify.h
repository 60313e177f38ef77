// VerifyRecord and VerifyArchive give the verdict on what a ceremony wrote:
// docs/record-format.md section 7. They read, and write nothing; they need no
// token, no network and nothing but the folder and the auditor's own roster.
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

// WithheldCount is one row of what a published bundle does not show.
struct WithheldCount {
  std::string what;    // "attend", the type of entries; "file"; "field employer"
  std::string reason;  // its code; empty for fields, which were withheld when the entry was written
  std::uint64_t count = 0;
};

// Witnessing is what a witness of transparency logs says of a checkpoint.
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
  std::uint64_t entries = 0;  // whole lines of the log
  bool closed = false;
  std::optional<Checkpoint> last;      // the largest checkpoint that verifies
  std::optional<Hash> log_root;        // over all whole lines
  std::vector<std::string> cosigners;  // people on the final checkpoint
  std::optional<Checkpoint> previous;  // what `open` names as the record before
  // What `open` says of the record before it when nobody could close that one any more: all of its entries, and their
  // root. Nothing when it says nothing of the kind.
  std::optional<Checkpoint> left_behind;
  std::string label;                    // of a published bundle: the highest that it shows
  std::vector<WithheldCount> withheld;  // what it does not show
  std::vector<Witnessing> witnessings;
  std::string stamped_at, stamped_by;  // by a time-stamping authority; empty: none was given, or it is no good
  std::vector<Finding> findings;
  std::uint64_t more = 0;
  // The bytes of artefacts/roster.json, when they are those that the quorum approved in a step that appointed or
  // retired somebody: the roster of the next record. Nothing where there is none, or it is withheld.
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
  // What the records before say of keys; not owned, and written to.
  KeyBook* keys = nullptr;
  // Who reads what is in the files (content_audit.h); not owned. nullptr: files
  // are held to their digests alone.
  ContentAudit* contents = nullptr;
};

// VerifyRecord reads one record; verify/verify.h is this with certificates read,
// and is what programs call. It fails (kNotFound, kIo) only when it could
// not read; what it read and did not like is in the report.
base::Result<RecordReport> VerifyRecord(const std::string& folder, const VerifyOptions& options);

struct ArchiveReport {
  Verdict verdict = Verdict::kInvalid;  // the worst of the records and of `findings`
  std::vector<RecordReport> records;    // in order
  std::vector<Finding> findings;        // about the chain (ARC-...)
};

// IsArchive tells an archive (it has folders NNNN-<ceremony id>) from a record.
base::Result<bool> IsArchive(const std::string& folder);

// VerifyArchive reads every record and the chain that `open.previous` makes.
// `options.trust` is the roster of the first record; a record that it makes COMPLETE
// may have written the roster of the next ones (RecordReport::next_roster), which is trusted
// from there on. Records before the first that fits it are UNPINNED (ARC-ROSTER),
// and INVALID where none does.
// `options.checkpoint_note` is held against the record of its origin; no such
// record is a finding.
base::Result<ArchiveReport> VerifyArchive(const std::string& folder, const VerifyOptions& options);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_VERIFY_H_
