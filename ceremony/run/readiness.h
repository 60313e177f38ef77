// What is looked at before a record is opened or gone on with, and what the record says of it.
#ifndef CEREMONY_RUN_READINESS_H_
#define CEREMONY_RUN_READINESS_H_

#include <nlohmann/json.hpp>

#include "ceremony/estate/estate.h"
#include "ceremony/run/world.h"
#include "ceremony/script/inputs.h"
#include "hsm/base/result.h"

namespace ceremony::run {

// CheckPlan refuses a plan that is blocked, and lists by what. It returns, for the opening, what was waived and what a
// rehearsal departs from.
base::Result<nlohmann::json> CheckPlan(const script::Inputs& inputs, const estate::Estate& estate);

// CheckMemory: a ceremony whose secrets would not be kept as promised does not begin, and does not go on
// (SECRET-MEMORY-01). A rehearsal with stand-ins, whose secrets are worth nothing, says so and does: `findings` is what
// its opening says of it.
base::Result<void> CheckMemory(World& world, const script::Inputs& inputs, nlohmann::json& findings);

// MendTokens puts a rehearsal's tokens back as SoftHSM should have left them. Call it before a module reads them. It
// returns what was done, as an array.
base::Result<nlohmann::json> MendTokens(World& world);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_READINESS_H_
