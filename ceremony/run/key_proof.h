// Proof that somebody holds the private halves of the keys that they bring.
#ifndef CEREMONY_RUN_KEY_PROOF_H_
#define CEREMONY_RUN_KEY_PROOF_H_

#include <string>

#include "ceremony/run/ceremony.h"
#include "ceremony/script/roster.h"
#include "hsm/base/result.h"

namespace ceremony::run {

// ProveKeys has a person sign the three lines `<origin>/possession`, their id and 32
// random bytes in base64, and open a random share that is sealed to their open_key; an
// `observe` entry (`key-possession`) holds text and signature. In a rehearsal nobody
// has the keys of a person without a credential in the binding: the entry then says
// that nothing was shown. PERSON-PROOF-01: what they opened is not what was sealed; else
// the refusals of quorum::Credentials, each of which is recorded.
base::Result<void> ProveKeys(Ceremony& ceremony, const script::Person& person, const std::string& step);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_KEY_PROOF_H_
