// A private key that goes from one token to another while the two are never on one machine:
// out as bytes under a transport key of the target, in from these bytes.
//
// The transport key is an RSA key of the target that unwraps and does nothing else (GenerateKeyPair
// with kUnwrappingUsage). The bytes are a copy of the key for whoever has that key, and for nobody else.
#ifndef HSM_SEALED_TRANSPORT_H_
#define HSM_SEALED_TRANSPORT_H_

#include <vector>

#include "hsm/transport.h"
#include "hsm/wrap.h"

namespace hsm {

// SendingWays and ReceivingWays list the OAEP ways of which a token can do its part, best first.
// Empty: its keys cannot travel so.
Result<std::vector<Transport>> SendingWays(Token& source);
Result<std::vector<Transport>> ReceivingWays(Token& target);

struct SealedKey {
  Bytes aes_key;      // the one-time AES-256 key under the transport key, by RSA-OAEP
  Bytes private_key;  // the PKCS#8 under the AES key, by RFC 5649
};

// SealKey takes a private key out for a transport key. The AES key and the transport key's public
// object are session objects, and are destroyed before it returns. kToken with
// CKR_KEY_UNEXTRACTABLE for a key that may not leave.
Result<SealedKey> SealKey(Session& source, const Object& private_key, const base::PublicKey& transport_key,
                          Transport transport);

// OpenSealedKey takes it in, as UnwrapPrivateKey does, with the same rules and trials; the AES key
// is destroyed before it returns, the transport key stays.
KeyCopying OpenSealedKey(Session& target, const Object& transport_key, Transport transport, const SealedKey& sealed,
                         const base::PublicKey& public_key, const KeyPairSpec& spec, ByteView proof);

}  // namespace hsm

#endif  // HSM_SEALED_TRANSPORT_H_
