// Key agreement with a private key that stays on its token.
#ifndef HSM_AGREE_H_
#define HSM_AGREE_H_

#include "hsm/base/public_key.h"
#include "hsm/base/secret_bytes.h"
#include "hsm/session.h"

namespace hsm {

// AgreeRaw returns the x coordinate of the Diffie-Hellman point of a P-256
// private key (CKA_DERIVE) and `peer`, by C_DeriveKey with CKM_ECDH1_DERIVE and
// CKD_NULL: 32 bytes. The derived key is a readable session object; it is read
// and destroyed before this returns, and the session must be logged in and may
// be read-only. kInvalidInput: `peer` is not P-256. kToken: the token said no.
// kUnsupported AGREE-01: the token agrees but keeps the value to itself.
// kCorrupt AGREE-02: what came out has not 32 bytes.
Result<base::SecretBytes> AgreeRaw(Session& session, const Object& private_key, const base::PublicKey& peer);

}  // namespace hsm

#endif  // HSM_AGREE_H_
