// What a token, or the module in front of it, cannot do at all. It is refused before anybody is asked to approve it,
// with a way out; the facts stand in hsm/limits.
#ifndef CEREMONY_STEPS_TOKEN_LIMITS_H_
#define CEREMONY_STEPS_TOKEN_LIMITS_H_

#include "hsm/base/result.h"
#include "hsm/token.h"

namespace ceremony::steps {

// CheckMakes: KEY-GEN-04 where the key is to be extractable and the module makes no such keys.
base::Result<void> CheckMakes(const hsm::Token& token, bool extractable);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_TOKEN_LIMITS_H_
