// Copies of private keys: taken out of one token under an AES key, brought into another, and proven there before they
// count.
//
// A copy is trusted no more than a new key. Every attribute is stated and read back. What a module ignored is set again
// and read back again. Then the copy is tried: its value must not be readable, it must not leave the token unless it
// may, and it must sign as the key.
#ifndef HSM_WRAP_H_
#define HSM_WRAP_H_

#include <string>
#include <vector>

#include "hsm/keygen.h"
#include "hsm/transport.h"

namespace hsm {

// WrapPrivateKey takes a private key out of a token: its PKCS#8 under an AES
// key by RFC 5649. The bytes are as secret as that AES key: never in a record.
// kToken with CKR_KEY_UNEXTRACTABLE for a sealed key; kCorrupt WRAP-SIZE-01 when
// the length cannot be that of a wrapped key.
Result<Bytes> WrapPrivateKey(Session& session, const Object& aes_key, CK_MECHANISM_TYPE mechanism,
                             const Object& private_key);

// KeyCopy is a copy that counts.
struct KeyCopy {
  KeyPair pair;
  Description attributes;             // as read back in the end, "private." and "public."
  std::vector<std::string> repaired;  // what the module ignored and was set again: "CKA_SENSITIVE"
  std::vector<std::string> trials;    // what was tried, in words, for the record
  Bytes signature{};                  // over the proof, verified; empty for a key that does not sign
};

// KeyCopying is the outcome. A copy that does not pass is destroyed, and the error says so. `left_behind` lists the
// objects that could not be destroyed.
struct [[nodiscard]] KeyCopying {
  Result<KeyCopy> copy;
  std::vector<Object> left_behind;
};

// WantedCopy is which key comes in, and as what.
struct WantedCopy {
  const base::PublicKey& public_key;
  const KeyPairSpec& spec;  // its algorithm must be that of the key
  // What the copy signs to show that it is this key; empty: a text of our own with a nonce.
  ByteView proof = {};
};

// UnwrapPrivateKey takes a private key in, makes its public object and puts it to the test.
// Refused before the call: KEY-GEN-01, KEY-GEN-02 as in GenerateKeyPair;
// KEY-COPY-01 the token has this key already; KEY-COPY-02 the id is taken. After it, kCorrupt:
//   KEY-ATTR-01..13   an attribute is not as stated, and could not be repaired
//   KEY-COPY-03       the copy's value can be read in clear
//   KEY-COPY-04       a copy that is not extractable was wrapped all the same
//   KEY-COPY-05       the copy does not sign as this key
// A copy that does not sign is not tried for KEY-COPY-05; `trials` says what was tried.
// A module that ignores the template can be repaired only while the copy is modifiable.
KeyCopying UnwrapPrivateKey(Session& session, const Object& aes_key, CK_MECHANISM_TYPE mechanism, ByteView wrapped,
                            const WantedCopy& wanted);

// CopyKey does all of it: makes the transport key, takes the key out and in, and destroys the transport key.
KeyCopying CopyKey(Session& source, const KeyPair& key, Session& target, const CopyWay& way, const KeyPairSpec& spec,
                   const TransportSpec& transport = {}, ByteView proof = {});

// ProveSealed shows that a key cannot leave its token: CKA_EXTRACTABLE reads
// false, and an attempt to wrap it under a fresh AES key is refused. kCorrupt
// KEY-SEAL-01 when the key came out or its attribute says true. KEY-SEAL-02 when the refusal was about something else,
// or nothing could be tried: nothing is proven then.
Result<void> ProveSealed(Session& session, const KeyPair& key);

}  // namespace hsm

#endif  // HSM_WRAP_H_
