// A ceremony that cannot come to its end: a seal that is broken, a token that died. It is closed as what it is, so that
// its record is whole and the archive can go on.
#include <fmt/format.h>

#include "ceremony/run/ceremony.h"
#include "ceremony/steps/catalogue.h"
#include "hsm/base/counted.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

bool Worked(const CallRecord& call) { return call.rv && *call.rv == 0; }

}  // namespace

base::Result<CalledOff> AskToCallOff(Ceremony& ceremony) {
  if (ceremony.history().attendance().present().empty()) {
    return base::Refusal("CALL-OFF-01", "nobody is in the room, and a record is closed before a quorum",
                         "go on with `keyceremony resume RECORD`, call the roll, and call it off then");
  }
  std::vector<room::Fact> left;
  for (const StepLeft& step : StepsLeft(ceremony)) left.push_back({step.id, step.title});
  ceremony.terminal().Say(room::Tone::kWarning, fmt::format("The ceremony is to be called off. {} not done:",
                                                            base::Counted(left.size(), "step is", "steps are")));
  ceremony.terminal().ShowFacts(left);
  room::Question question;
  question.kind = room::Question::Kind::kText;
  question.id = "call-off/reason";
  question.text = "Why is the ceremony called off? Everybody who reads the record reads this.";
  question.example = "the seal of root-hsm was broken when it arrived";
  question.simulated = "a rehearsal of calling off";
  CalledOff called_off;
  KC_ASSIGN_OR_RETURN(called_off.reason, ceremony.Ask("administrator", question));
  return called_off;
}

std::vector<StepLeft> StepsLeft(Ceremony& ceremony) {
  std::vector<StepLeft> left;
  for (const script::Section& section : ceremony.inputs().script.sections) {
    for (const script::Step& step : section.steps) {
      if (ceremony.history().StepOf(step.id).over()) continue;
      left.push_back({step.id, steps::TitleOf(step)});
    }
  }
  return left;
}

json ItemsLeft(Ceremony& ceremony) {
  json items = json::array();
  for (const StepLeft& step : StepsLeft(ceremony)) {
    items.push_back({{"what", "the step was not done"}, {"step", step.id}, {"title", step.title}});
    for (const CallRecord& call : ceremony.history().calls()) {
      if (call.step != step.id || !Worked(call) || !call.ChangedToken()) continue;
      items.push_back({{"what", "what a call of the step has made or changed is still so on the token"},
                       {"step", step.id},
                       {"call", call.number},
                       {"fn", call.function},
                       {"token", call.token},
                       {"object_id", call.planned_id}});
    }
  }
  for (const CallRecord& call : ceremony.history().calls()) {
    if (!call.NeedsSettling()) continue;
    items.push_back({{"what", "nobody could look at what the call has left on the token"},
                     {"call", call.number},
                     {"fn", call.function},
                     {"token", call.token}});
  }
  return items;
}

}  // namespace ceremony::run
