// What an emergency ceremony owes those who are not in the room (R4).
#ifndef CEREMONY_STEPS_EMERGENCY_H_
#define CEREMONY_STEPS_EMERGENCY_H_

#include "ceremony/script/inputs.h"
#include "ceremony/steps/plan.h"

namespace ceremony::steps {

// CheckEmergency reports
//   PLAN-EMERGENCY-01  a script that is an emergency tells nobody: it has no comms.notify step
//   PLAN-EMERGENCY-02  it revokes for the compromise of a CA, or takes a key out of use as
//                      compromised, and does not say that it is an emergency
void CheckEmergency(const script::Inputs& inputs, Plan& plan);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_EMERGENCY_H_
