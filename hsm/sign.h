// Signing on a token. A signature is returned only after it was verified in software with the public key that the
// caller named.
#ifndef HSM_SIGN_H_
#define HSM_SIGN_H_

#include <vector>

#include "hsm/session.h"

namespace hsm {

// Consequence says whether the observer is asked and told (Before, After).
enum class Consequence : std::uint8_t {
  kCeremonyKey,  // a key of the estate: an entry before, an entry after
  kProof,        // the same, and the entry before has the whole message, which nobody could approve before it was made
  kLogKey,       // a record's own checkpoint, which cannot announce itself
};

// Sign signs `message` with the pair's private key.
//
// ECDSA: SHA-256/384/512 on the host by the curve, CKM_ECDSA, raw r||s turned
// into strict DER with low s. RSA: CKM_RSA_PKCS over a DigestInfo or
// CKM_RSA_PKCS_PSS over a digest, or the hashing mechanism where the token signs by that alone (CKF_SIGN).
// Ed25519: CKM_EDDSA over the message.
// kInvalidInput: the scheme does not fit the key; kUnsupported: the token has no
// such mechanism; kCorrupt KEY-SIGN-01: what the token gave does not verify.
//
// A key with CKA_ALWAYS_AUTHENTICATE (a PIV card's signing key) needs its PIN before each signature. `pin` is sent
// once, between C_SignInit and C_Sign (CKU_CONTEXT_SPECIFIC); an empty one means the PIN pad. KEY-SIGN-02: the token
// wants a login for this signature, and no PIN was given here.
Result<Bytes> Sign(Session& session, const KeyPair& key, base::SignatureScheme scheme, ByteView message,
                   Consequence consequence, const base::SecretBytes* pin = nullptr);

// SigningMechanisms lists the mechanisms that Sign can use for a scheme. One of them is enough.
std::vector<CK_MECHANISM_TYPE> SigningMechanisms(base::SignatureScheme scheme);

// DefaultScheme is the scheme that goes with an algorithm: ECDSA, Ed25519, RSA PKCS#1 with SHA-256.
base::SignatureScheme DefaultScheme(base::KeyAlgorithm algorithm);

}  // namespace hsm

#endif  // HSM_SIGN_H_
