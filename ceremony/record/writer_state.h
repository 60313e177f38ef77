// The state of a Writer between two calls. Only the files that implement Writer
// include it, and recovery, which rebuilds it from the disk.
#ifndef CEREMONY_RECORD_WRITER_STATE_H_
#define CEREMONY_RECORD_WRITER_STATE_H_

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ceremony/record/disclosure.h"
#include "ceremony/record/scanner.h"
#include "ceremony/record/writer.h"

namespace ceremony::record {

// Misuse is an error of whoever calls the writer, and none of the disk or of the people.
inline base::Error Misuse(std::string problem) {
  return base::MakeError(base::ErrorCode::kInternal, std::move(problem));
}

struct Writer::State {
  explicit State(Options given) : options(std::move(given)) {}

  Options options;
  std::unique_ptr<AppendFile> log;          // locked as long as this lives
  std::unique_ptr<AppendFile> disclosures;  // opened at the first confidential value
  std::optional<base::Error> failure;

  std::uint64_t log_bytes = 0;
  CompactRange written;           // of the lines as written
  CompactRange read_back;         // of the lines as read back
  std::uint64_t read_offset = 0;  // bytes that read_back covers

  std::string origin;
  std::string log_key;               // field of `open`
  std::set<std::uint64_t> requests;  // seqs of `request` entries
  std::optional<record::Checkpoint> last_checkpoint;
  bool closed = false;
  std::optional<Note> final_note;  // what the file `checkpoint` holds
  bool addendum = false;

  std::optional<std::int64_t> last_utc;
  std::optional<std::int64_t> last_boot;  // none at the start and after recovery: the boot may be another
  std::optional<ClockStep> clock_step;

  std::string line;                  // of the entry that was prepared last; reused for every entry
  std::vector<Disclosure> openings;  // of its confidential values
  Scanner scanner;

  std::uint64_t size() const { return written.size(); }
  std::string PathOf(std::string_view name) const { return JoinPath(options.folder, name); }
  Storage& storage() const { return options.storage; }

  base::Result<void> CheckSound() const;
  // Poison keeps the first failure of a changing call and returns it as kIo.
  base::Error Poison(base::Error error);
  template <typename T>
  base::Result<T> Guarded(base::Result<T> result) {
    if (!result.ok()) return Poison(std::move(result).error());
    return result;
  }

  // Prepare makes the whole entry of any type out of `fields`, an object without
  // common fields: its line, held to what a verifier asks of it, and the openings
  // of its confidential values. It changes no file, and what it refuses leaves
  // nothing behind. Commit makes openings and then the line durable.
  base::Result<nlohmann::json> Prepare(EntryType type, nlohmann::json fields);
  base::Result<std::uint64_t> Commit(EntryType type, const nlohmann::json& entry);
  base::Result<std::uint64_t> Write(EntryType type, nlohmann::json fields) {
    KC_ASSIGN_OR_RETURN(const nlohmann::json entry, Prepare(type, std::move(fields)));
    return Commit(type, entry);
  }
  // CheckLine holds the line to the verifier's own reader.
  base::Result<void> CheckLine(EntryType type);
  // Withhold puts salted digests in the place of marked values and keeps their openings.
  base::Result<void> Withhold(nlohmann::json& fields);
  base::Result<void> WriteOpenings();
  // NoteEntry keeps what later calls need to know of an entry in the log.
  void NoteEntry(EntryType type, const nlohmann::json& entry);
  // Stamp sets `time` and `mono` and looks for a clock step.
  void Stamp(nlohmann::json& entry);

  // ReadBack hashes what it has not read yet, ReadBackAll the whole log, and both compare.
  base::Result<void> ReadBack();
  base::Result<void> ReadBackAll();
  base::Result<void> CheckLogKey(const NoteSigner& signer) const;

  // EnsureFolder makes a folder of the record, and those above it, durably.
  base::Result<void> EnsureFolder(std::string_view name);
  // Files lists the record's files, with their paths in it, sorted; other
  // things than files and folders are listed as kOther.
  base::Result<std::vector<FileInfo>> Files() const;
  // DigestLines are the sha256sum lines of an addendum.
  base::Result<std::string> DigestLines() const;
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_WRITER_STATE_H_
