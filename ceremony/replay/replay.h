// Replay acts a record again on fresh SoftHSM tokens with simulated people, and
// compares call by call what came of it: does the script that a record names do
// what the record says, and nothing else?
//
// Records that it stands on are acted first, out of the archive in which it is.
#ifndef CEREMONY_REPLAY_REPLAY_H_
#define CEREMONY_REPLAY_REPLAY_H_

#include <string>
#include <string_view>
#include <vector>

#include "ceremony/replay/compare.h"
#include "ceremony/run/world.h"
#include "hsm/base/result.h"

namespace ceremony::replay {

enum class Verdict : std::uint8_t {
  kSame,        // nothing that was not to be expected
  kDiffers,     // an unexpected difference
  kIncomplete,  // the same as far as it went, and SoftHSM could not go on
};
std::string_view NameOf(Verdict verdict);  // "SAME", ...

struct Report {
  Verdict verdict = Verdict::kSame;
  std::string record;               // as it was given
  std::vector<std::string> before;  // records that were acted first
  std::string replayed;             // the record that the replay made
  std::string record_verdict;       // the verifier's, nobody pinned
  std::optional<Stop> stop;
  Comparison comparison;
};

// Replay acts `record` again in the folder `stage`, which is made and stays.
//   REPLAY-ARCHIVE-01  the record goes on from another one that does not stand beside it
//   REPLAY-ARCHIVE-02  a record before it could not be acted to its end
//   REPLAY-RECORD-02   a line is no entry; a replay needs all of them
base::Result<Report> Replay(const std::string& record, const std::string& stage, const run::LoadModule& load);

}  // namespace ceremony::replay

#endif  // CEREMONY_REPLAY_REPLAY_H_
