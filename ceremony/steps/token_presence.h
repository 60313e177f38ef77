// Which tokens which section needs (R16).
#ifndef CEREMONY_STEPS_TOKEN_PRESENCE_H_
#define CEREMONY_STEPS_TOKEN_PRESENCE_H_

#include <set>
#include <string>
#include <vector>

#include "ceremony/script/script.h"
#include "ceremony/steps/plan.h"

namespace ceremony::steps {

// SectionTokens is one row of the presence matrix.
struct SectionTokens {
  std::string section;           // its title
  std::set<std::string> tokens;  // that must be there, record token left out
};
std::vector<SectionTokens> PresenceMatrix(const script::Script& script, const Plan& plan);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_TOKEN_PRESENCE_H_
