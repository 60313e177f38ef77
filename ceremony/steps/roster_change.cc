#include "ceremony/steps/roster_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "ceremony/estate/roster_after.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/script_plan.h"
#include "ceremony/script/fingerprint.h"
#include "ceremony/steps/people_rules.h"
#include "hsm/base/clock_text.h"
#include "hsm/base/counted.h"
#include "hsm/base/digest.h"

namespace ceremony::steps {
namespace {

std::string OrAny(const std::string& text) { return text.empty() ? "any" : text; }

// The day that an earlier attempt has written into the roster, or today.
base::Result<std::string> DayOf(StepContext& context, const std::string& person) {
  if (context.progress().FindArtefact(record::kRosterFile) != nullptr) {
    KC_ASSIGN_OR_RETURN(const base::Bytes bytes, context.ReadArtefact(std::string(record::kRosterFile)));
    script::LoadedFile file;
    file.name = record::kRosterFile;
    file.bytes = std::string(base::AsText(bytes));
    KC_ASSIGN_OR_RETURN(const script::Roster written, script::ParseRoster(std::move(file)));
    const script::Person* known = written.FindPerson(person);
    if (known != nullptr && !known->Since().empty()) return known->Since();
  }
  return base::DayOf(base::FormatTime(context.clock().UtcMicros()));
}

}  // namespace

bool WritesRoster(const script::Script& script, const script::Step& step) {
  const script::Step* last = nullptr;
  for (const script::Section& section : script.sections) {
    for (const script::Step& each : section.steps) {
      if (record::ChangesRoster(each.kind)) last = &each;
    }
  }
  return last != nullptr && last->id == step.id;
}

void PlansRoster(const script::Step& step, const script::Roster& before, PlanContext& plan) {
  if (WritesRoster(plan.inputs().script, step)) plan.Writes("artefacts/" + std::string(record::kRosterFile));
  const script::Roster after = estate::RosterAfter(before, plan.estate());
  for (const script::Quorum& quorum : after.quorums) {
    const std::size_t members = after.MembersOf(quorum).size();
    if (members >= static_cast<std::size_t>(quorum.m)) continue;
    plan.Breach("QUORUM-LOST-01", "person",
                fmt::format("after this step quorum {} has {}, and {} must approve", quorum.name,
                            base::Counted(members, "active member", "active members"), quorum.m),
                "appoint somebody first, or reshare to a smaller m");
  }
  std::set<std::string> known;
  for (const RosterFinding& finding : JudgeRoster(plan.inputs().policy, before))
    known.insert(finding.rule + finding.message);
  for (RosterFinding& finding : JudgeRoster(plan.inputs().policy, after)) {
    if (known.contains(finding.rule + finding.message)) continue;
    finding.message = "after this step: " + finding.message;
    if (finding.severity == Severity::kBreach) {
      plan.Breach(finding.rule, "person", finding.message, finding.hint);
    } else {
      plan.GoodPractice(finding.rule, "person", finding.message, finding.hint);
    }
  }
}

base::Result<RosterChange> PrepareRosterChange(const script::Step& step, StepContext& context,
                                               const std::string& person,
                                               const std::function<estate::Effect(const std::string& on)>& effect_on) {
  KC_ASSIGN_OR_RETURN(const std::string on, DayOf(context, person));
  RosterChange change{effect_on(on)};
  estate::Estate after = context.estate();
  KC_RETURN_IF_ERROR(after.Apply(change.effect, {"planned", 0, ""}));
  if (!WritesRoster(context.inputs().script, step)) return change;
  KC_ASSIGN_OR_RETURN(change.text, script::WriteRoster(estate::RosterAfter(*context.inputs().roster, after)));
  change.sha256 = base::Sha256Hex(change.text);
  return change;
}

base::Result<void> MakeRosterChange(const RosterChange& change, StepContext& context) {
  if (!change.text.empty()) {
    KC_RETURN_IF_ERROR(
        context.WriteArtefact(std::string(record::kRosterFile), std::string(kRosterKind), base::AsBytes(change.text)));
  }
  KC_RETURN_IF_ERROR(context.Achieve(change.effect));
  if (!change.text.empty()) {
    context.terminal().Say(room::Tone::kGood, fmt::format("The roster of the next ceremony is {} among the artefacts.",
                                                          record::kRosterFile));
  }
  return {};
}

void ShowPerson(const script::Person& person, room::Terminal& terminal) {
  terminal.ShowFacts({{"name", person.name},
                      {"id", person.id},
                      {"employer", person.employer},
                      {"roles", script::TitlesOf(person.roles)},
                      {"PKI domain", OrAny(person.domain)},
                      {"site", OrAny(person.site)},
                      {"state", std::string(script::NameOf(person.state))}});
  for (const auto& [what, key] : {std::pair{"signing", &person.sign_key}, std::pair{"opening", &person.open_key}}) {
    if (key->empty()) continue;
    if (const auto fingerprint = script::FingerprintOf(*key); fingerprint.ok())
      terminal.ShowDigest(fmt::format("{} key of {}", what, person.name), fingerprint->digest);
  }
}

}  // namespace ceremony::steps
