// A key pair that must not be used although a token made it: anybody could
// compute it, or the archive has it under another name. It never becomes a key of
// the estate, and it does not stay on the token.
#ifndef CEREMONY_STEPS_UNFIT_PAIR_H_
#define CEREMONY_STEPS_UNFIT_PAIR_H_

#include <string>

#include "ceremony/steps/step_context.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"

namespace ceremony::steps {

// RefuseUnfitPair refuses a key that was just made as x509::RefuseWeakKey does
// (KEY-WEAK-*), or because its public key is already another key of the estate
// (EST-KEY-02, R1), naming the token; it says what another attempt at the step will do.
base::Result<void> RefuseUnfitPair(const base::PublicKey& key, const std::string& name, const std::string& token,
                                   const estate::Estate& estate);

// DestroyUnfitPair destroys every object of the unfit key that an earlier attempt at
// the step left, after the quorum has approved and the administrator consented. It
// shows after a restart of the module that none is left (KEY-ABSENT-01), and records a
// deviation. If the archive has the same key on this token, it destroys everything
// but the archive's own copy, and shows that this copy is still there. When it was
// cut off, it goes on where it was.
base::Result<void> DestroyUnfitPair(const base::PublicKey& key, const std::string& name, const std::string& token,
                                    StepContext& context);

// IsDestroyed tells whether each making was followed by a destruction.
bool IsDestroyed(const base::PublicKey& key, const std::string& token, const Progress& progress);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_UNFIT_PAIR_H_
