// HPKE (RFC 9180), base mode, single-shot: what is sealed to a public key, only
// its private key opens. One suite: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256,
// AES-256-GCM (0x0010, 0x0001, 0x0002).
#ifndef CEREMONY_QUORUM_HPKE_H_
#define CEREMONY_QUORUM_HPKE_H_

#include <cstdint>

#include "ceremony/quorum/agreement_key.h"
#include "hsm/base/bytes.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"
#include "hsm/base/secret_bytes.h"

namespace ceremony::quorum {

struct Sealed {
  base::Bytes enc;         // 65 bytes: the sender's one-time public key, uncompressed point
  base::Bytes ciphertext;  // the plaintext's size and 16 bytes of tag
};

// HpkeSeal seals to `recipient` under a key made for this one call. `info` and
// `aad` are not in the result: whoever opens must know them. kInvalidInput when
// the recipient's key is not P-256.
base::Result<Sealed> HpkeSeal(const base::PublicKey& recipient, base::ByteView info, base::ByteView aad,
                              const base::SecretBytes& plaintext);

// HpkeOpen opens with the recipient's key, wherever that lives. kInvalidInput:
// `enc` is no point of the curve. kCorrupt: it was sealed to another key, with
// other info or aad, or was changed; which of these nobody can tell.
base::Result<base::SecretBytes> HpkeOpen(AgreementKey& key, const Sealed& sealed, base::ByteView info,
                                         base::ByteView aad);

// For the vectors of RFC 9180, which fix the sender's key and also use another AEAD.
namespace internal {
enum class Aead : std::uint16_t { kAes128Gcm = 0x0001, kAes256Gcm = 0x0002 };
base::Result<Sealed> SealFrom(AgreementKey& sender, const base::PublicKey& recipient, base::ByteView info,
                              base::ByteView aad, const base::SecretBytes& plaintext, Aead aead);
base::Result<base::SecretBytes> Open(AgreementKey& key, const Sealed& sealed, base::ByteView info, base::ByteView aad,
                                     Aead aead);
}  // namespace internal

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_HPKE_H_
