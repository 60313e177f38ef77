// The kinds of step about tokens of a fleet; kinds.h has the others.
#ifndef CEREMONY_STEPS_TOKEN_KINDS_H_
#define CEREMONY_STEPS_TOKEN_KINDS_H_

#include "ceremony/steps/kinds.h"

namespace ceremony::steps {

const StepKind& TokenRegister();
const StepKind& TokenRole();
const StepKind& TokenCustody();
const StepKind& TokenRetire();
const StepKind& FirmwareRecord();

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_TOKEN_KINDS_H_
