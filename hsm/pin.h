// Setting and changing the PINs of a token.
#ifndef HSM_PIN_H_
#define HSM_PIN_H_

#include "hsm/base/secret_bytes.h"
#include "hsm/session.h"

namespace hsm {

// InitPin sets the user PIN (C_InitPIN) in a session of the security officer.
// An empty PIN means the token's own PIN pad. Refusals as for Token::Initialise.
Result<void> InitPin(Session& so_session, const base::SecretBytes& pin);

// SetPin changes the PIN of the user who is logged in (C_SetPIN). Empty PINs
// mean the PIN pad. There is one attempt: a wrong old PIN counts as a try on the
// token. It is refused like a login when it would be the last try
// (TOKEN-LOGIN-01, -02).
Result<void> SetPin(Session& session, const base::SecretBytes& old_pin, const base::SecretBytes& new_pin);

}  // namespace hsm

#endif  // HSM_PIN_H_
