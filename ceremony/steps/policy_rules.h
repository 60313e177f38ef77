// Numbers of the policy that `check` compares with a whole script: how long
// certificates may be valid, by what they may be signed, how long a section may take.
#ifndef CEREMONY_STEPS_POLICY_RULES_H_
#define CEREMONY_STEPS_POLICY_RULES_H_

#include "ceremony/script/inputs.h"
#include "ceremony/steps/plan.h"
#include "ceremony/x509/crl_profile.h"

namespace ceremony::steps {

//   PROFILE-VALIDITY-01   breach         certificates of a profile are valid for longer than the policy allows
//   PROFILE-SIGNATURE-01  breach         a profile signs by an algorithm that the policy does not name
//   PLAN-WINDOW-01        good practice  the steps of a section are estimated to take longer than window.warn_minutes
//   PLAN-DEPART-01        good practice  room.depart lets people go whom a later step, or the closed record, needs

// CheckProfiles needs only the inputs; the others need the finished steps of the plan.
void CheckProfiles(const script::Inputs& inputs, Plan& plan);
// CheckCrlSignature reports PROFILE-SIGNATURE-01 of the CRL profile of a step.
void CheckCrlSignature(const x509::CrlProfile& profile, PlanContext& plan);
void CheckWindows(const script::Inputs& inputs, Plan& plan);
void CheckDepartures(const script::Inputs& inputs, Plan& plan);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_POLICY_RULES_H_
