// Fold reads an archive into the estate that it makes: every record's `step`
// ends, in order. It trusts the records; whether they deserve it is for
// intact.h to say.
#ifndef CEREMONY_ESTATE_FOLD_H_
#define CEREMONY_ESTATE_FOLD_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/record/checkpoint.h"
#include "hsm/base/result.h"

namespace ceremony::estate {

// RecordSummary is what a list of ceremonies shows of one record.
struct RecordSummary {
  std::string folder;  // "0001-smki-root-oca"
  std::string ceremony;
  std::string origin;
  std::string mode;   // "rehearsal" or "production"
  std::string began;  // time of `open`
  std::string ended;  // time of `close`; empty while it is not closed
  std::uint64_t entries = 0;
  bool opened = false;      // it has an `open` entry
  bool complete = false;    // closed, and its addendum is there
  bool called_off = false;  // people closed it before its script was done
  // Origin of the record that it follows, as its `open` entry says; empty: it is the first. nullopt: it does not say.
  std::optional<std::string> previous{};
  bool has_checkpoint = false;  // its log key has signed something of it
  // How the record after it left it behind, which says that nobody could close it any more: its origin, how many
  // entries it had, and their root. nullopt: none did.
  std::optional<record::Checkpoint> left_behind{};
  std::string roster{};  // artefact with the roster that it made for the next ceremony; empty if it changed none
};

struct Folded {
  Estate estate;
  std::vector<RecordSummary> records;  // in order
  // Path of the roster for the next ceremony: the one that the newest record has
  // written, if it is complete, else the one it was run with; empty without a record.
  std::string newest_roster;
  bool roster_changed = false;  // the newest record has written it
};

// FoldArchive reads every record of the archive up to, but without, the one
// named `before` (empty: all), of which only what it left behind is read. An archive that does not exist yet folds to
// nothing. kCorrupt names record and entry when effects contradict each other
// or a line is no entry; kIo when it cannot be read.
base::Result<Folded> FoldArchive(const std::string& archive, const std::string& before = {});

// OpenEntry is the `open` entry of a record, as it stands there; discarded when the record has none that is whole.
// kIo when it cannot be read.
base::Result<nlohmann::json> OpenEntry(const std::string& archive, const std::string& folder);

// OpenedAfter is the folder of the first record that was opened after the one named, empty when there is none. It reads
// `open` entries, and folds nothing. Errors as FoldArchive.
base::Result<std::string> OpenedAfter(const std::string& archive, const std::string& folder);

// NewestMode is the mode of the archive's newest ceremony, empty when it has none
// that was opened. It reads an `open` entry, and folds nothing. Errors as FoldArchive.
base::Result<std::string> NewestMode(const std::string& archive);

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_FOLD_H_
