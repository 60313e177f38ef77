// Replay repeats a record on fresh SoftHSM tokens with simulated people, and compares
// the result call by call: does the script of a record do what the record says, and
// nothing else?
//
// Records that it depends on are repeated first, from the same archive.
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
  kSame,        // no unexpected difference
  kDiffers,     // an unexpected difference
  kIncomplete,  // the same until SoftHSM could not go on
};
std::string_view NameOf(Verdict verdict);  // "SAME", ...

struct Report {
  Verdict verdict = Verdict::kSame;
  std::string record;               // path, as given
  std::vector<std::string> before;  // records that were repeated first
  std::string replayed;             // the record that the replay made
  std::string record_verdict;       // of the verifier, without a roster
  std::optional<Stop> stop;
  Comparison comparison;
};

// Replay repeats `record` in the folder `stage`, which it makes and leaves there.
//   REPLAY-ARCHIVE-01  the record follows another one that is not in the same archive
//   REPLAY-ARCHIVE-02  a record before it could not be repeated to its end
//   REPLAY-RECORD-02   a line is not an entry; a replay needs all of them
base::Result<Report> Replay(const std::string& record, const std::string& stage, const run::LoadModule& load);

}  // namespace ceremony::replay

#endif  // CEREMONY_REPLAY_REPLAY_H_
