// Writer writes one record, and nobody else does: the log is locked, every
// entry is durable before Append returns, outputs never overwrite anything.
//
// The order of a ceremony: Create; StoreInput and StorePolicy; Append `open`;
// Checkpoint; entries, artefacts and checkpoints; Append `close`;
// FinalCheckpoint; AddCosignature for each custodian; AddendumText and
// PublishAddendum once the log key is gone. After a crash: Recover (recovery.h)
// gives back a Writer at the same point.
//
// Any failed write, sync or rename ends the ceremony: the writer is poisoned
// and each later call returns that first error (kIo). A refused argument
// changes nothing and poisons nothing.
//
// Writer keeps references to the storage and the clock; both must outlive it.
#ifndef CEREMONY_RECORD_WRITER_H_
#define CEREMONY_RECORD_WRITER_H_

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/checkpoint.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/note.h"
#include "ceremony/record/policy.h"
#include "ceremony/record/storage.h"
#include "hsm/base/clock.h"

namespace ceremony::record {

// ClockStep is a jump of the UTC clock against the boot clock between two entries:
// somebody, or a daemon, set the clock.
struct ClockStep {
  std::uint64_t seq = 0;             // the entry that was written first after the jump
  std::int64_t utc_micros = 0;       // its time, as it was written
  std::int64_t expected_micros = 0;  // time of the entry before plus what passed on the boot clock
};

class Writer final {
 public:
  struct Options {
    Storage& storage;
    base::Clock& clock;
    std::string folder;  // the record's folder in the storage; made when missing
    Mode mode;
    std::int64_t clock_step_micros = 1'000'000;  // smaller jumps are not reported
  };

  // A cosignature together with the key that made it.
  struct Cosignature {
    SignatureLine line;
    VerifierKey key;
  };

  // Create makes the folder with an empty log and locks it. Refusals:
  // RECORD-CREATE-01 the folder is not empty, RECORD-LOCK-01 another process
  // holds the log (with its pid).
  static base::Result<std::unique_ptr<Writer>> Create(Options options);

  ~Writer();
  Writer(const Writer&) = delete;  // one writer of one log
  Writer& operator=(const Writer&) = delete;

  // StoreInput keeps the exact bytes of an input file as `inputs/<name>` and
  // returns their SHA-256 in hex. Only before `open`; RECORD-OUT-01 when the
  // name is taken.
  base::Result<std::string> StoreInput(std::string_view name, base::ByteView content);
  // StorePolicy writes policy.txt. Once; RECORD-OUT-01 otherwise.
  base::Result<void> StorePolicy(const Policy& policy);

  // Append writes one entry with these fields (an object, without the common
  // fields) and returns its seq; the line is durable when it returns. The
  // first entry is `open`, and no entry follows `close`. `checkpoint`
  // entries come from Checkpoint, `artefact` ones from WriteArtefact.
  // kInvalidInput, with the JSON pointer, when the fields are outside the
  // profile or a required one is missing. `close` gets its field `entries`
  // (the number of entries, itself included: the size of the final checkpoint).
  // A value that MarkConfidential has marked (disclosure.h) goes to
  // disclosures.jsonl, durably before the entry, which holds its salted digest:
  // kInvalidInput where no salted digest may stand, for an opening that does not
  // fit a line, and when the file would be larger than a verifier reads.
  base::Result<std::uint64_t> Append(EntryType type, nlohmann::json fields);

  // TakeClockStep returns the jump seen since the last call, if any, so that
  // the caller can record a deviation. `time` is always written as the clock
  // had it; `mono` never goes back within a boot.
  std::optional<ClockStep> TakeClockStep();

  // Checkpoint reads what was appended since the last one back from disk, takes
  // the root from those bytes (kIo and poisoned when they are not what was
  // written), has the signer sign, and appends the `checkpoint` entry whose
  // note covers every entry before it. The key name must be the origin.
  base::Result<record::Checkpoint> Checkpoint(NoteSigner& log_key);

  // AppendCosign verifies a custodian's signature line against the text of the
  // last checkpoint, which must cover the request, and appends the `cosign`
  // entry. kCorrupt when it does not verify, kInvalidInput otherwise.
  // `extra` holds further fields of the entry (an object or null).
  base::Result<std::uint64_t> AppendCosign(std::string_view person, std::uint64_t request,
                                           const Cosignature& cosignature);
  base::Result<std::uint64_t> AppendCosign(std::string_view person, std::uint64_t request,
                                           const Cosignature& cosignature, nlohmann::json extra);

  // CheckOutputFree refuses (RECORD-OUT-01) when the artefact exists already;
  // the plan asks it for every output before anything is done. The name is a
  // safe path below `artefacts/`.
  base::Result<void> CheckOutputFree(std::string_view name);

  // WriteArtefact leaves `artefacts/<name>` and an `artefact` entry whose
  // `name` is relative to `artefacts/`: temporary file synced, entry durable,
  // rename, folder synced. Returns the seq of the entry. `extra` holds further
  // fields of the entry (an object or null).
  base::Result<std::uint64_t> WriteArtefact(std::string_view name, base::ByteView content, std::string_view kind);
  base::Result<std::uint64_t> WriteArtefact(std::string_view name, base::ByteView content, std::string_view kind,
                                            nlohmann::json extra);

  // FinalCheckpoint reads the whole log back from disk, has the log key sign
  // and writes the file `checkpoint`. Only after `close`, once.
  base::Result<record::Checkpoint> FinalCheckpoint(NoteSigner& log_key);
  // AddCosignature adds a verified line to the file `checkpoint` by replacing
  // it. RECORD-COSIGN-01 when that key has signed already.
  base::Result<void> AddCosignature(const Cosignature& cosignature);

  // AddendumText is what custodians sign at the end (section 3): the evidence
  // that the log key is gone, and the digest of every other file of the record
  // but disclosures.jsonl. After the final checkpoint. RECORD-ADDENDUM-01 when
  // a file has a name that sha256sum would have to escape, or is no file.
  base::Result<std::string> AddendumText(const nlohmann::json& evidence);
  // PublishAddendum verifies the signatures over that text and writes
  // addendum.note; kInvalidInput when `text` is not the text for the files as
  // they are now. At least one signature; the last call of a ceremony.
  base::Result<void> PublishAddendum(const std::string& text, std::span<const Cosignature> cosignatures);

  std::uint64_t size() const;         // entries so far = seq of the next
  const std::string& origin() const;  // empty before `open`
  Mode mode() const;
  bool closed() const;  // `close` has been appended
  bool has_final_checkpoint() const;
  bool has_addendum() const;
  // last_checkpoint is the last one signed, in the log or the final one.
  const std::optional<record::Checkpoint>& last_checkpoint() const;
  // failure is the error that ended the ceremony, if one did.
  const std::optional<base::Error>& failure() const;

 private:
  friend class RecoveryRun;
  struct State;
  static base::Result<void> VerifyCosignature(std::string_view text, const Cosignature& cosignature);
  explicit Writer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_WRITER_H_
