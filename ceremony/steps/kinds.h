// One function a kind of step: each returns the only instance, which lives as
// long as the program and holds no state.
#ifndef CEREMONY_STEPS_KINDS_H_
#define CEREMONY_STEPS_KINDS_H_

#include "ceremony/steps/step_kind.h"

namespace ceremony::steps {

const StepKind& RoomAttend();
const StepKind& RoomDepart();
const StepKind& RoomClock();
const StepKind& RoomConfirm();
const StepKind& RoomRecord();
const StepKind& CommsNotify();
const StepKind& DocumentLodge();
const StepKind& CustodianAppoint();
const StepKind& CustodianRetire();
const StepKind& TokenCommission();
const StepKind& TokenVerify();
const StepKind& KeyGenerate();
const StepKind& KeyClone();
const StepKind& KeyTransport();
const StepKind& KeyExport();
const StepKind& KeyImport();
const StepKind& KeyProve();
const StepKind& KeySeal();
const StepKind& KeyDeactivate();
const StepKind& KeyDestroy();
const StepKind& CertSelfSign();
const StepKind& CertIssue();
const StepKind& CertCrossSign();
const StepKind& CsrCreate();
const StepKind& CsrImport();
const StepKind& CrlIssue();
const StepKind& PayloadSign();
const StepKind& QuorumReshare();

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_KINDS_H_
