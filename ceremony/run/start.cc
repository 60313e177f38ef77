#include "ceremony/run/start.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "ceremony/record/storage.h"
#include "ceremony/run/one_try.h"
#include "ceremony/run/record_inputs.h"
#include "ceremony/run/unopened.h"
#include "hsm/base/counted.h"

namespace ceremony::run {
namespace {

// MayTryAgain tells whether the same people at the same machine can mend it: a
// token that was pulled, a wrong PIN, a quorum that was short.
bool MayTryAgain(World& world, const base::Error& error, const std::string& folder) {
  switch (error.code) {
    case base::ErrorCode::kAborted:
    case base::ErrorCode::kIo:
    case base::ErrorCode::kCorrupt:
    case base::ErrorCode::kInternal:
      return false;
    default:
      break;
  }
  if (!world.terminal.HasPeople() || world.stop_requested() || folder.empty()) return false;
  const auto opened = HasEntries(world, folder);
  return opened.ok() && *opened;
}

constexpr const char* kAgain = "try again";
constexpr const char* kPause = "pause the ceremony";
constexpr const char* kRoom = "somebody comes or goes, then try again";
constexpr const char* kCallOff = "call the ceremony off";
constexpr const char* kCallOffAgain = "try again to call it off";
constexpr const char* kAfterAll = "go on with the ceremony after all";

// What people may decide after a failure: a ceremony is only called off before its record is closed.
base::Result<std::vector<std::string>> Decisions(World& world, const std::string& folder, Onward onward) {
  KC_ASSIGN_OR_RETURN(const auto closed, world.storage.Find(record::JoinPath(folder, record::kCheckpointFile)));
  if (closed) return std::vector<std::string>{kAgain, kPause, kRoom};
  if (onward == Onward::kCallOff) return std::vector<std::string>{kCallOffAgain, kPause, kRoom, kAfterAll};
  return std::vector<std::string>{kAgain, kPause, kRoom, kCallOff};
}

// GoOn asks after each failure what to do. Trying again is a resume without
// leaving the program: tokens are found anew, and the record says what happened.
base::Result<Ended> GoOn(World& world, const std::string& archive, const std::string& folder, Onward onward,
                         base::Result<Ended> played) {
  while (!played.ok() && MayTryAgain(world, played.error(), folder)) {
    const base::Error error = played.error();
    const room::Tone tone = error.rule == "QUORUM-POSTPONED-01" ? room::Tone::kWarning : room::Tone::kBad;
    world.terminal.Say(tone, error.rule.empty() ? error.message : error.message + " [" + error.rule + "]");
    // A way out by another command is for those who leave this one.
    if (!error.hint.empty() && error.hint.find("`keyceremony") == std::string::npos)
      world.terminal.Say(room::Tone::kPlain, "What to do: " + error.hint + ".");
    KC_ASSIGN_OR_RETURN(std::vector<std::string> decisions, Decisions(world, folder, onward));
    const room::Question question{
        .kind = room::Question::Kind::kDecision,
        .id = "again",
        .person = "the administrator",
        .text = "Nothing is lost: the record says what happened. Mend the cause, then decide.",
        .choices = std::move(decisions)};
    const auto decision = world.terminal.Ask(question);
    if (!decision.ok()) return played;
    if (*decision == kPause) return base::Error(error).Prefixed("paused after a failure");
    if (*decision == kCallOff) onward = Onward::kCallOff;
    if (*decision == kAfterAll) onward = Onward::kToTheEnd;
    const Again again{error.message, question.person, *decision == kRoom, onward};
    auto inputs = ReadRecordInputs(archive, folder);
    if (!inputs.ok()) return std::move(inputs).error();
    played = ResumeOnce(world, archive, std::move(inputs).value(), folder, again);
  }
  return played;
}

}  // namespace

std::string SignedSoFar(const record::Checkpoint& checkpoint) {
  return fmt::format("root of what is signed: the first {}", base::Counted(checkpoint.size, "entry", "entries"));
}

base::Result<Ended> Begin(World& world, const std::string& archive, script::Inputs inputs, std::string& folder,
                          const std::string& leave_behind) {
  auto played = BeginOnce(world, archive, std::move(inputs), folder, leave_behind);
  return GoOn(world, archive, folder, Onward::kToTheEnd, std::move(played));
}

base::Result<Ended> Resume(World& world, const std::string& archive, script::Inputs inputs, const std::string& folder,
                           Onward onward) {
  // After a pause the room is rarely the same.
  const Again resumed{"", "", world.terminal.HasPeople(), onward};
  return GoOn(world, archive, folder, onward, ResumeOnce(world, archive, std::move(inputs), folder, resumed));
}

}  // namespace ceremony::run
