// Stage is where records are repeated: an archive of its own with a rehearsal folder
// (rehearsal.h), fresh SoftHSM tokens, and a simulated person with new keys for each
// person of a record.
//
// Script, policy, profiles and documents are the record's own bytes. The rest is
// replaced: the roster gets other public keys, the binding other tokens, and person
// files and statements of use those other keys.
#ifndef CEREMONY_REPLAY_STAGE_H_
#define CEREMONY_REPLAY_STAGE_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ceremony/run/rehearsal.h"
#include "ceremony/run/world.h"
#include "ceremony/script/inputs.h"
#include "hsm/base/result.h"

namespace ceremony::replay {

// ReadEntries reads every whole line of the log of the record at `path`. kCorrupt REPLAY-RECORD-02: a line is withheld,
// or not an entry. The common fields of an entry have their form; nothing else is checked.
base::Result<std::vector<nlohmann::json>> ReadEntries(const std::string& path);

// Reenacted is one repeated record.
struct Reenacted {
  std::string folder;                  // its name in the stage's archive
  std::optional<base::Error> stopped;  // why it did not reach its end
  std::string step;                    // the last step that was begun
};

class Stage final {
 public:
  // `source` is the archive of the records, `archive` the new folder to repeat them in.
  Stage(std::string source, std::string archive, run::LoadModule load);

  // Prepare makes folders and finds SoftHSM.
  base::Result<void> Prepare();

  // Reenact repeats the record `folder` of the source. Records that it depends on must come first, in order.
  base::Result<Reenacted> Reenact(const std::string& folder);

  const std::string& archive() const { return archive_; }
  // Mechanisms that SoftHSM offers, by name; known after the first Reenact.
  const std::set<std::string>& mechanisms() const { return mechanisms_; }

 private:
  base::Result<script::Inputs> InputsFor(const std::string& folder);
  base::Result<script::Roster> StandInRoster(const script::Inputs& recorded);
  base::Result<script::Binding> StandInBinding(const script::Inputs& recorded, const estate::Estate& now);
  base::Result<void> StandInDocuments(const std::string& folder, const estate::Estate& now, script::Inputs& inputs);
  base::Result<void> LearnMechanisms(const script::TokenBinding& token);

  std::string source_;
  std::string archive_;
  run::LoadModule load_;
  run::RehearsalPaths paths_;
  std::string module_;
  std::map<std::string, std::string> serials_;    // of tokens that no ceremony has commissioned
  std::map<std::string, script::Person> people_;  // with the keys made for them
  std::set<std::string> mechanisms_;
};

}  // namespace ceremony::replay

#endif  // CEREMONY_REPLAY_STAGE_H_
