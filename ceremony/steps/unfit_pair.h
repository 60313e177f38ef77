// A key pair that a token has made and that may be nobody's: one that anybody
// could compute, or one that the archive has under another name. It is never a
// key of the estate, and it does not stay on the token.
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

// DestroyUnfitPair names the key that an earlier attempt at the step was refused
// for, has the quorum approve and the administrator consent, destroys
// every object of it, shows after a restart of the module that none is left
// (KEY-ABSENT-01) and records it as a deviation. Of a key that the archive has on
// this token, it destroys what is there beside the archive's own copy, and shows
// that this copy is still there. Cut off anywhere, it goes on where it was.
base::Result<void> DestroyUnfitPair(const base::PublicKey& key, const std::string& name, const std::string& token,
                                    StepContext& context);

// IsDestroyed tells whether this record says that the key is gone, as often as it was made.
bool IsDestroyed(const base::PublicKey& key, const std::string& token, const Progress& progress);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_UNFIT_PAIR_H_
