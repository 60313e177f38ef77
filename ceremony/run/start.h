// Starting a ceremony, and going on with one.
#ifndef CEREMONY_RUN_START_H_
#define CEREMONY_RUN_START_H_

#include <cstdint>
#include <string>

#include "ceremony/record/checkpoint.h"
#include "ceremony/run/world.h"
#include "ceremony/script/inputs.h"
#include "hsm/base/result.h"

namespace ceremony::run {

// Ended says what became of a ceremony whose record is closed and has its addendum.
enum class Ended : std::uint8_t {
  kDone,       // its script was done to the end
  kCalledOff,  // people ended it before that
};

// SignedSoFar is what stands over the words of a record's last checkpoint, at a pause and when it is gone on with.
std::string SignedSoFar(const record::Checkpoint& checkpoint);

// Begin runs a ceremony from its first question to its addendum. `archive` is the
// storage's root.
//
// Refused before anything is touched: PLAN-* findings of the script (the error
// lists them), ARCHIVE-OPEN-01 when the newest record is not complete,
// ARCHIVE-MODE-01 when rehearsal and production would share an archive. `folder`
// is set as soon as there is a record, also when Begin then fails.
// `leave_behind` names the newest record, when nobody can close it any more and
// this ceremony is to follow it all the same (leave_behind.h: LEAVE-BEHIND-01, -02); empty: none.
base::Result<Ended> Begin(World& world, const std::string& archive, script::Inputs inputs, std::string& folder,
                          const std::string& leave_behind = {});

// Onward says how a ceremony is resumed: to the end of its script, or to call it
// off, which closes its record as it is, with a reason.
enum class Onward : std::uint8_t { kToTheEnd, kCallOff };

// Resume goes on with the record `folder` of the archive: recovers the log,
// settles what calls have left on tokens, and runs what is not over.
// `inputs` are those of the record (record_inputs.h). A record that is complete
// is left as it is (kDone). ARCHIVE-OPEN-01 when the one before it is not complete, ARCHIVE-LEFT-01 when one after it
// is open; CALL-OFF-01, -02, -03: it cannot be called off now, and why.
base::Result<Ended> Resume(World& world, const std::string& archive, script::Inputs inputs, const std::string& folder,
                           Onward onward = Onward::kToTheEnd);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_START_H_
