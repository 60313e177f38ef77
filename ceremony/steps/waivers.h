// Waivers: a rule that two named people decide to go without, for one ceremony
// (R2). They stand in the binding with the reason; the people say so once more
// in the room, and the record has it as a deviation.
#ifndef CEREMONY_STEPS_WAIVERS_H_
#define CEREMONY_STEPS_WAIVERS_H_

#include <string_view>

#include "ceremony/script/inputs.h"
#include "ceremony/steps/plan.h"

namespace ceremony::steps {

// IsWaivable is true for rules of good order, which people may waive. It is false
// for rules about what is possible, and for those that keep the books true.
bool IsWaivable(std::string_view rule);

// ApplyWaivers marks the findings that the binding waives and, outside of a rehearsal, those of good practice that
// still need a waiver. It adds faults of the waivers themselves:
//   WAIVER-01  the rule is not one that people may waive
//   WAIVER-02  fewer people than the policy's waiver_people, or one who is not active
//   WAIVER-03  nothing breaks the rule: there is nothing to waive
void ApplyWaivers(const script::Inputs& inputs, Plan& plan);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_WAIVERS_H_
