#include <fmt/format.h>

#include <optional>
#include <utility>

#include "ceremony/record/script_plan.h"
#include "ceremony/run/approval.h"
#include "ceremony/run/ceremony.h"
#include "ceremony/run/section_window.h"
#include "ceremony/run/step_run.h"
#include "ceremony/steps/catalogue.h"
#include "ceremony/steps/section_keys.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

// SectionApprovalOf returns the request of the section that approved the step,
// which serves its first attempt only: what follows a failure is asked for anew.
std::optional<std::uint64_t> SectionApprovalOf(Ceremony& ceremony, const script::Section& section,
                                               const script::Step& step) {
  const RequestHistory* request = ceremony.history().FindRequest(record::SectionRequestName(section.id));
  if (request == nullptr || !request->met() || !request->steps.contains(step.id)) return std::nullopt;
  if (ceremony.history().StepOf(step.id).attempts > 0) return std::nullopt;
  return request->seq;
}

void ShowHeading(Ceremony& ceremony, const script::Section& section, const script::Step& step, std::size_t number) {
  const bool first = &step == &section.steps.front();
  ceremony.terminal().ShowStep({section.title, first ? section.say : std::string(), step.id, steps::TitleOf(step),
                                step.say, number, ceremony.inputs().script.StepCount(), ceremony.ElapsedMicros()});
}

base::Result<void> BeginStep(Ceremony& ceremony, const script::Section& section, const script::Step& step) {
  const unsigned attempt = ceremony.history().StepOf(step.id).attempts + 1;
  ceremony.journal().TakeCounts();
  json fields = {{"id", step.id},
                 {"do", step.kind},
                 {"phase", "begin"},
                 {"section", section.id},
                 {"title", steps::TitleOf(step)},
                 {"attempt", attempt},
                 {"parameters", step.fields.values()}};
  if (!step.quorum.empty()) fields["quorum"] = step.quorum;
  if (const auto approval = SectionApprovalOf(ceremony, section, step)) fields["approval"] = *approval;
  KC_RETURN_IF_ERROR(ceremony.Append(record::EntryType::kStep, std::move(fields)));
  return {};
}

base::Result<void> EndStep(Ceremony& ceremony, const script::Step& step, const StepRun& run) {
  json effects = json::array();
  for (const estate::Effect& effect : run.effects()) effects.push_back(estate::ToJson(effect));
  json fields = {{"id", step.id}, {"do", step.kind}, {"phase", "end"}, {"calls", ceremony.journal().TakeCounts()}};
  if (!effects.empty()) fields["effects"] = std::move(effects);
  json troubles = json::array();
  for (const base::Error& trouble : ceremony.journal().TakeTroubles()) troubles.push_back(ErrorFields(trouble));
  if (!troubles.empty()) fields["troubles"] = std::move(troubles);
  KC_RETURN_IF_ERROR(ceremony.Append(record::EntryType::kStep, std::move(fields)));
  return {};
}

// RecordFailure says in the record why the step did not end. A record that
// cannot be written any more keeps the error that it already has.
void RecordFailure(Ceremony& ceremony, const script::Step& step, const base::Error& error) {
  if (ceremony.writer().failure()) return;
  if (error.code == base::ErrorCode::kRefused || !error.rule.empty()) {
    if (!ceremony.HasRecorded(error) && !ceremony.AppendRefusal(error, step.id).ok()) return;
  }
  json fields = {{"id", step.id},
                 {"do", step.kind},
                 {"phase", "failed"},
                 {"error", ErrorFields(error)},
                 {"calls", ceremony.journal().TakeCounts()}};
  if (!ceremony.Append(record::EntryType::kStep, std::move(fields)).ok()) return;
  // The failure is signed too, when the log key is at hand and still answers, and so is a stop at a question: whoever
  // goes on is not asked about what the program itself wrote. Nobody is asked for a PIN for that: it may be what
  // failed. And the first checkpoint of a log is the one that people cosign when they open it.
  if (ceremony.writer().last_checkpoint() && ceremony.HasLogKey()) static_cast<void>(ceremony.Checkpoint());
}

base::Result<void> RunStep(Ceremony& ceremony, const script::Section& section, const script::Step& step,
                           const steps::StepKind& kind) {
  const bool approved = SectionApprovalOf(ceremony, section, step).has_value();
  KC_RETURN_IF_ERROR(BeginStep(ceremony, section, step));
  StepRun run(ceremony, step, approved ? StepRun::Asks::kNot : StepRun::Asks::kItsQuorum);
  auto done = &step == &section.steps.front() ? steps::HaveSectionTokens(section, run) : base::Result<void>();
  if (done.ok()) done = kind.Run(step, run);
  // A section whose keys are not where they must be does not close: its last step does not end.
  if (done.ok() && &step == &section.steps.back()) done = steps::ProveSectionKeys(section, run);
  // A step that has logged out of the record token ends when the key that signs the record is at hand again: whoever
  // must give a share for that is asked within the step.
  if (done.ok()) {
    if (auto log_key = ceremony.LogKey(); !log_key.ok()) done = std::move(log_key).error();
  }
  if (!done.ok()) {
    base::Error error = std::move(done).error();
    // All inputs are in memory: what a step misses or finds twice is on a token.
    if (error.code == base::ErrorCode::kNotFound || error.code == base::ErrorCode::kAmbiguous)
      error.code = base::ErrorCode::kToken;
    RecordFailure(ceremony, step, error);
    return std::move(error).Prefixed(fmt::format("step {}", step.id));
  }
  return EndStep(ceremony, step, run);
}

// People may leave out a step that the script calls skippable; the record says so.
base::Result<bool> SkipIfAsked(Ceremony& ceremony, const script::Step& step) {
  if (!step.skippable) return false;
  constexpr const char* kDo = "do it";
  constexpr const char* kSkip = "leave it out";
  const room::Question question{.kind = room::Question::Kind::kDecision,
                                .id = "step.skip/" + step.id,
                                .text = "This step may be left out. What do you decide?",
                                .choices = {kDo, kSkip},
                                .simulated = kDo};
  KC_ASSIGN_OR_RETURN(const std::string decision, ceremony.Ask("administrator", question));
  if (decision != kSkip) return false;
  KC_RETURN_IF_ERROR(
      ceremony.Append(record::EntryType::kStep, {{"id", step.id}, {"do", step.kind}, {"phase", "skipped"}}));
  return true;
}

// TakeStep shows a step before it asks whether to leave it out: people decide on what they have seen. What a section
// approves at once is approved before its first step is shown, and may be left out all the same.
base::Result<void> TakeStep(Ceremony& ceremony, const script::Section& section, const script::Step& step,
                            std::size_t number) {
  const steps::StepKind* kind = steps::Catalogue().Find(step.kind);
  if (kind == nullptr) return base::MakeError(base::ErrorCode::kInternal, "no kind of step " + step.kind);
  if (steps::IsCoveredBySection(section, step, *kind) && ceremony.history().StepOf(step.id).attempts == 0)
    KC_RETURN_IF_ERROR(ApproveSection(ceremony, section));
  ShowHeading(ceremony, section, step, number);
  KC_ASSIGN_OR_RETURN(const bool skipped, SkipIfAsked(ceremony, step));
  return skipped ? base::Result<void>() : RunStep(ceremony, section, step, *kind);
}

base::Error Stopped() {
  return base::MakeError(base::ErrorCode::kAborted, "stopped between two steps")
      .WithHint("`keyceremony resume RECORD` goes on");
}

// Who sends for people sends once: early, and for everybody.
void TellOfAbsentHolders(Ceremony& ceremony) {
  std::size_t number = 0;
  for (const script::Section& section : ceremony.inputs().script.sections) {
    for (const script::Step& step : section.steps) {
      ++number;
      if (ceremony.history().StepOf(step.id).over()) continue;
      if (const auto here = ceremony.shares().CheckHolders(step); !here.ok())
        ceremony.terminal().Say(room::Tone::kWarning, fmt::format("Step {}: {}.", number, here.error().message));
    }
  }
}

}  // namespace

base::Result<void> RunSteps(Ceremony& ceremony) {
  const script::Script& script = ceremony.inputs().script;
  std::size_t number = 0;
  for (const script::Section& section : script.sections) {
    SectionWindow window(ceremony.inputs().policy.window, section.id, ceremony.world().clock, ceremony.terminal(),
                         [&ceremony](std::string_view type, json fields) -> base::Result<void> {
                           KC_RETURN_IF_ERROR(ceremony.Append(record::FindEntryType(type)->type, std::move(fields)));
                           return {};
                         });
    for (const script::Step& step : section.steps) {
      ++number;
      if (!ceremony.history().StepOf(step.id).over()) {
        if (ceremony.world().stop_requested()) return Stopped();
        KC_RETURN_IF_ERROR(TakeStep(ceremony, section, step, number));
        if (number > 1) KC_RETURN_IF_ERROR(ceremony.Checkpoint());
      }
      if (number == 1) {
        KC_RETURN_IF_ERROR(ApproveOpening(ceremony));
        KC_RETURN_IF_ERROR(ConsentToWaivers(ceremony));
        TellOfAbsentHolders(ceremony);
      }
      KC_RETURN_IF_ERROR(window.Look());
    }
    KC_RETURN_IF_ERROR(ceremony.LogOutOfOthers());
  }
  return {};
}

}  // namespace ceremony::run
