// What an emergency ceremony must tell people outside the room (R4).
#ifndef CEREMONY_STEPS_EMERGENCY_H_
#define CEREMONY_STEPS_EMERGENCY_H_

#include "ceremony/script/inputs.h"
#include "ceremony/steps/plan.h"

namespace ceremony::steps {

// CheckEmergency reports
//   PLAN-EMERGENCY-01  an emergency script tells nobody: it has no comms.notify step
//   PLAN-EMERGENCY-02  it revokes for the compromise of a CA, or takes a key out of use as
//                      compromised, and does not say that it is an emergency
void CheckEmergency(const script::Inputs& inputs, Plan& plan);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_EMERGENCY_H_
