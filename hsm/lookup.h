// Looking keys up by what they are (the public key), never by label alone.
#ifndef HSM_LOOKUP_H_
#define HSM_LOOKUP_H_

#include "hsm/session.h"

namespace hsm {

// FindKeyBySpki finds the private key of this public key on the session's token.
//
// The public object is found by its key material; its CKA_ID leads to the
// private object, whose own public material must agree where the token shows it.
// Without a public object the private objects are searched by theirs. Where the token does not show it, use proves it:
// Sign verifies every signature with the public key. kNotFound KEY-FIND-01; kAmbiguous KEY-FIND-02: two public or two
// private objects answer; kCorrupt KEY-FIND-03: the private object with that id is
// another key, or shows a public key that is none, or two that contradict each other.
Result<KeyPair> FindKeyBySpki(Session& session, const base::PublicKey& public_key);

// FindPrivateKey is for a key whose public key is not known yet: the one
// private key with this label and id (either may be empty, not both) and its
// public key. Errors as above.
Result<KeyPair> FindPrivateKey(Session& session, const std::string& label, ByteView id);

// DestroyKeyPair destroys the private object, then the public one. It stops at the first failure and names what is
// left.
Result<void> DestroyKeyPair(Session& session, const KeyPair& pair);

}  // namespace hsm

#endif  // HSM_LOOKUP_H_
