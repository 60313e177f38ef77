// Fold reads an archive into an estate: it applies the effects of every `step` end, in
// order. It trusts the records; intact.h checks them.
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

// RecordSummary is one record in a list of ceremonies.
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
  // Origin of the record before, as its `open` entry says; empty: it is the first. nullopt: `open` does not say.
  std::optional<std::string> previous{};
  bool has_checkpoint = false;  // its log key has signed a checkpoint
  // Its state when a later record left it behind, because nobody could close it: origin, number of entries and their
  // root. nullopt: it was not left behind.
  std::optional<record::Checkpoint> left_behind{};
  std::string roster{};  // artefact with the roster for the next ceremony; empty if nobody was appointed or retired
};

struct Folded {
  Estate estate;
  std::vector<RecordSummary> records;  // in order
  // Path of the roster for the next ceremony: the one that the newest record wrote, if
  // it is complete, else the one it was run with; empty if there is no record.
  std::string newest_roster;
  bool roster_changed = false;  // the newest record has written it
};

// FoldArchive reads every record of the archive before the one named `before` (empty:
// all). Of that one it reads only what it left behind. An archive that does not exist
// yet folds to nothing. kCorrupt: effects contradict each other, or a line is not an
// entry; the message names record and entry. kIo: it cannot be read.
base::Result<Folded> FoldArchive(const std::string& archive, const std::string& before = {});

// OpenEntry is the `open` entry of a record, unchecked; discarded if the record has no whole entry. kIo when it cannot
// be read.
base::Result<nlohmann::json> OpenEntry(const std::string& archive, const std::string& folder);

// OpenedAfter is the folder of the first record that was opened after `folder`; empty if there is none. It reads only
// `open` entries. Errors as FoldArchive.
base::Result<std::string> OpenedAfter(const std::string& archive, const std::string& folder);

// NewestMode is the mode of the newest ceremony that was opened; empty if there is
// none. It reads only `open` entries. Errors as FoldArchive.
base::Result<std::string> NewestMode(const std::string& archive);

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_FOLD_H_
