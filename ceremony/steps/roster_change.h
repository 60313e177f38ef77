// Shared by the steps that change the roster: the people so far, and the new
// roster that is written for the next ceremony.
#ifndef CEREMONY_STEPS_ROSTER_CHANGE_H_
#define CEREMONY_STEPS_ROSTER_CHANGE_H_

#include <functional>
#include <string>
#include <string_view>

#include "ceremony/estate/effect.h"
#include "ceremony/script/roster.h"
#include "ceremony/script/script.h"
#include "ceremony/steps/plan.h"
#include "ceremony/steps/step_context.h"

namespace ceremony::steps {

// The kind of the artefact record::kRosterFile, the roster of the next ceremony. The fold of the archive finds it by
// this kind.
inline constexpr std::string_view kRosterKind = "roster";

// WritesRoster tells the last step of the script that changes the roster: it writes the roster for all of them.
bool WritesRoster(const script::Script& script, const script::Step& step);

// PlansRoster reports each rule of people_rules.h that the roster breaks after the
// step's planned effect and did not break before, and QUORUM-LOST-01 if a quorum
// would have fewer than m members.
// `before` is the roster before this step.
void PlansRoster(const script::Step& step, const script::Roster& before, PlanContext& plan);

// RosterChange is a change that is ready to be approved and made.
struct RosterChange {
  estate::Effect effect;
  std::string text{};    // of the new roster; empty when a later step writes it
  std::string sha256{};  // of the text; empty without one
};

// PrepareRosterChange has `effect_on` make the effect for today, or for the day
// on which an earlier attempt at this step had already written the roster.
base::Result<RosterChange> PrepareRosterChange(const script::Step& step, StepContext& context,
                                               const std::string& person,
                                               const std::function<estate::Effect(const std::string& on)>& effect_on);

// MakeRosterChange writes the roster, if this is the last step that changes it,
// and takes the effect into the estate.
base::Result<void> MakeRosterChange(const RosterChange& change, StepContext& context);

// ShowPerson shows who somebody is, with their keys in words.
void ShowPerson(const script::Person& person, room::Terminal& terminal);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_ROSTER_CHANGE_H_
