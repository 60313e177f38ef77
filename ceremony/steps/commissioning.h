// The ways in which token.commission takes a token into service.
#ifndef CEREMONY_STEPS_COMMISSIONING_H_
#define CEREMONY_STEPS_COMMISSIONING_H_

#include <set>
#include <string>

#include "ceremony/script/script.h"

namespace ceremony::steps {

// TokensToInitialise are blank tokens that the script initialises.
std::set<std::string> TokensToInitialise(const script::Script& script);
// TokensOfVendors are tokens that their vendor's tool initialised and the script commissions.
std::set<std::string> TokensOfVendors(const script::Script& script);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_COMMISSIONING_H_
