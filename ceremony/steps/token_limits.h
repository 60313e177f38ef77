// Refuses what a token or its module cannot do at all, before anybody is asked to approve it, with a way out. The
// facts are in hsm/limits, and in what the token says about itself.
#ifndef CEREMONY_STEPS_TOKEN_LIMITS_H_
#define CEREMONY_STEPS_TOKEN_LIMITS_H_

#include <string>
#include <vector>

#include "ceremony/script/inputs.h"
#include "ceremony/steps/mechanism_need.h"
#include "ceremony/steps/step_context.h"
#include "hsm/base/result.h"
#include "hsm/token.h"

namespace ceremony::steps {

// CheckMakes: KEY-GEN-04 where the key is to be extractable and the module makes no such keys.
base::Result<void> CheckMakes(const hsm::Token& token, bool extractable);

// CheckTakesPins: TOKEN-PIN-01 where the policy's PINs are longer or shorter than the token takes.
base::Result<void> CheckTakesPins(const hsm::TokenInfo& token, const hsm::Quirks& quirks,
                                  const script::PinPolicy& policy);

// CheckInitialises: TOKEN-COMMISSION-03 where only the maker's tool initialises a token; TOKEN-PIN-01 as above, unless
// the binding has its PINs typed on the token's own pad.
base::Result<void> CheckInitialises(const BlankToken& blank, const std::string& name, const script::Inputs& inputs);

// CheckZeroises: TOKEN-RETIRE-02 if nobody could log in to the token after C_InitToken, so that nobody could show that
// it is empty.
base::Result<void> CheckZeroises(const hsm::Token& token);

// CheckMechanisms: TOKEN-MECH-02 where the token has none of the mechanisms of a need; `hint` is the way out.
base::Result<void> CheckMechanisms(hsm::Token& token, const std::vector<MechanismNeed>& needs, const std::string& hint);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_TOKEN_LIMITS_H_
