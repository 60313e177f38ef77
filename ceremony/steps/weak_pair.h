// A key pair that a token has made and that anybody could compute: it is never
// a key of the estate, and it does not stay on the token.
#ifndef CEREMONY_STEPS_WEAK_PAIR_H_
#define CEREMONY_STEPS_WEAK_PAIR_H_

#include <string>

#include "ceremony/steps/step_context.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"

namespace ceremony::steps {

// RefuseWeakPair refuses a key that was just made as x509::RefuseWeakKey does
// (KEY-WEAK-*), naming the token, and says what another attempt at the step will do.
base::Result<void> RefuseWeakPair(const base::PublicKey& key, const std::string& name, const std::string& token);

// DestroyWeakPair names the weak key that an earlier attempt at the step was
// refused for, has the quorum approve and the administrator consent, destroys
// every object of it, shows after a restart of the module that none is left
// (KEY-ABSENT-01) and records it as a deviation. Cut off anywhere, it goes on where it was.
base::Result<void> DestroyWeakPair(const base::PublicKey& key, const std::string& name, const std::string& token,
                                   StepContext& context);

// IsDestroyed tells whether this record says that the weak key is gone.
bool IsDestroyed(const base::PublicKey& key, const std::string& token, const Progress& progress);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_WEAK_PAIR_H_
