// Numbers of the policy that `check` compares with a whole script: how long
// certificates may be valid, how long a section may take.
#ifndef CEREMONY_STEPS_POLICY_RULES_H_
#define CEREMONY_STEPS_POLICY_RULES_H_

#include "ceremony/script/inputs.h"
#include "ceremony/steps/plan.h"

namespace ceremony::steps {

//   PROFILE-VALIDITY-01  breach         a profile's certificates are valid for longer than the policy allows their kind
//   PLAN-WINDOW-01       good practice  the steps of a section are estimated to take longer than window.warn_minutes
//   PLAN-DEPART-01       good practice  room.depart lets people go whom a later step needs, or who sign the closed
//   record

// CheckProfiles needs only the inputs; the others need the finished steps of the plan.
void CheckProfiles(const script::Inputs& inputs, Plan& plan);
void CheckWindows(const script::Inputs& inputs, Plan& plan);
void CheckDepartures(const script::Inputs& inputs, Plan& plan);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_POLICY_RULES_H_
