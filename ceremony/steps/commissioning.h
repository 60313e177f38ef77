// The ways in which token.commission takes a token into service.
#ifndef CEREMONY_STEPS_COMMISSIONING_H_
#define CEREMONY_STEPS_COMMISSIONING_H_

#include <set>
#include <string>

#include "ceremony/script/script.h"

namespace ceremony::steps {

// TokensToInitialise are those that a script's steps find blank and initialise.
std::set<std::string> TokensToInitialise(const script::Script& script);
// TokensOfVendors are those that it finds initialised, and takes into service.
std::set<std::string> TokensOfVendors(const script::Script& script);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_COMMISSIONING_H_
