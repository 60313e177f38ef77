// A ceremony that cannot come to its end: a seal that is broken, a token that died. It is closed as what it is, so that
// its record is whole and the archive can go on.
#include <fmt/format.h>

#include "ceremony/run/ceremony.h"
#include "ceremony/steps/catalogue.h"
#include "hsm/base/counted.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

// Shares become the estate's with the end of the step that made them. A token that has a PIN of theirs before that
// would be one whose PIN no later ceremony can put together.
base::Result<void> CheckNoPinIsChanging(Ceremony& ceremony) {
  const History& history = ceremony.history();
  for (const CallRecord& call : history.calls()) {
    if (call.function != "C_SetPIN" || !call.MayHaveWorked() || history.StepOf(call.step).over()) continue;
    const NewSetHistory* begun = history.FindNewSet(call.token);
    // A token that does not answer cannot be finished: it is an open item.
    if (begun == nullptr || !ceremony.tokens().Locate(call.token).ok()) continue;
    return base::Refusal(
        "CALL-OFF-03",
        fmt::format("token {} may open with the new shares (set {}) already, and the archive would go on with the old "
                    "ones",
                    call.token, begun->set.set),
        fmt::format("finish step {} first, with `keyceremony resume RECORD`; when the token is out of order for good, "
                    "take it out of the machine, and call the ceremony off then",
                    call.step));
  }
  return {};
}

// What a call of a step that was not done is known to have changed on a token, or may have.
bool HasChanged(const CallRecord& call) {
  return call.ChangedToken() && (call.worked() || (call.IsOfWholeToken() && call.settled));
}

json ItemOf(const CallRecord& call, const std::string& step, const History& history) {
  json item = {{"what", "what a call of the step has made or changed is still so on the token"},
               {"step", step},
               {"call", call.number},
               {"fn", call.function},
               {"token", call.token},
               {"object_id", call.planned_id}};
  const NewSetHistory* begun = call.IsOfWholeToken() ? history.FindNewSet(call.token) : nullptr;
  if (begun != nullptr) item["set"] = begun->set.set;
  return item;
}

}  // namespace

base::Result<CalledOff> AskToCallOff(Ceremony& ceremony) {
  if (ceremony.history().attendance().present().empty()) {
    return base::Refusal("CALL-OFF-01", "nobody is in the room, and a record is closed before a quorum",
                         "go on with `keyceremony resume RECORD`, call the roll, and call it off then");
  }
  KC_RETURN_IF_ERROR(CheckNoPinIsChanging(ceremony));
  std::vector<room::Fact> left;
  for (const StepLeft& step : StepsLeft(ceremony)) left.push_back({step.id, step.title});
  ceremony.terminal().Say(room::Tone::kWarning, fmt::format("The ceremony is to be called off. {} not done:",
                                                            base::Counted(left.size(), "step is", "steps are")));
  ceremony.terminal().ShowFacts(left);
  const room::Question question{.kind = room::Question::Kind::kText,
                                .id = "call-off/reason",
                                .text = "Why is the ceremony called off? Everybody who reads the record reads this.",
                                .example = "the seal of root-hsm was broken when it arrived",
                                .simulated = "a rehearsal of calling off"};
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
      if (call.step == step.id && HasChanged(call)) items.push_back(ItemOf(call, step.id, ceremony.history()));
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
