// Moving a private key between tokens that are never on one machine: out as bytes under a transport key of the target,
// and in from these bytes.
//
// The transport key is an RSA key of the target that unwraps and does nothing else (GenerateKeyPair
// with kUnwrappingUsage). Whoever has the transport key can make a copy from the bytes; nobody else can.
#ifndef HSM_SEALED_TRANSPORT_H_
#define HSM_SEALED_TRANSPORT_H_

#include <vector>

#include "hsm/transport.h"
#include "hsm/wrap.h"

namespace hsm {

// SendingWays and ReceivingWays list the OAEP ways that a token can do its part of, best first. Empty: keys cannot
// travel in this way.
Result<std::vector<Transport>> SendingWays(Token& source);
Result<std::vector<Transport>> ReceivingWays(Token& target);

struct SealedKey {
  Bytes aes_key;      // the one-time AES-256 key under the transport key, by RSA-OAEP
  Bytes private_key;  // the PKCS#8 under the AES key, by RFC 5649
};

// SealKey takes a private key out for a transport key. The AES key and the public object of the transport key are
// session objects. They are destroyed before it returns: kCorrupt KEY-TRANSPORT-03 if they cannot be. kToken with
// CKR_KEY_UNEXTRACTABLE for a key that may not leave.
Result<SealedKey> SealKey(Session& source, const Object& private_key, const base::PublicKey& transport_key,
                          Transport transport);

// OpenSealedKey takes it in, as UnwrapPrivateKey does, with the same rules and trials; the AES key
// is destroyed before it returns, the transport key stays.
KeyCopying OpenSealedKey(Session& target, const Object& transport_key, Transport transport, const SealedKey& sealed,
                         const WantedCopy& wanted);

}  // namespace hsm

#endif  // HSM_SEALED_TRANSPORT_H_
