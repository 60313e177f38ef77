// Compares capability sheets of absent tokens with what a script asks of them.
#ifndef CEREMONY_CLI_CHECK_CAPABILITIES_H_
#define CEREMONY_CLI_CHECK_CAPABILITIES_H_

#include <string>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/script/inputs.h"
#include "ceremony/steps/plan.h"

namespace ceremony::cli {

// CheckCapabilities reads sheets, each `FILE` or `TOKEN=FILE`, and adds to the plan:
//   PLAN-MECH-01  breach: the token lacks a mechanism that the script asks of it
//   PLAN-MECH-02  good practice: the sheet says only what the token claims, or that it is not what it claims
// Without a name, the token is looked up by its serial or label in the binding or the estate; kInvalidInput
// if the script has no such token.
base::Result<void> CheckCapabilities(const std::vector<std::string>& sheets, const script::Inputs& inputs,
                                     const estate::Estate& estate, steps::Plan& plan);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_CHECK_CAPABILITIES_H_
