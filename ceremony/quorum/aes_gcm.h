// AES-GCM (NIST SP 800-38D) with a nonce of 12 bytes and a tag of 16, which stands behind the ciphertext.
#ifndef CEREMONY_QUORUM_AES_GCM_H_
#define CEREMONY_QUORUM_AES_GCM_H_

#include <span>

#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::quorum {

inline constexpr std::size_t kGcmNonceBytes = 12;
inline constexpr std::size_t kGcmTagBytes = 16;

// GcmKey is a key and the nonce of one message: 16 or 32 bytes, and 12.
struct GcmKey {
  base::ByteView key, nonce;
};

// SealGcm encrypts `plain`. `out` has room for it and the tag, exactly. kInternal when libcrypto fails.
base::Result<void> SealGcm(const GcmKey& with, base::ByteView aad, base::ByteView plain, std::span<std::uint8_t> out);

// OpenGcm decrypts `sealed`, which is a tag at least. `out` has room for the plaintext, exactly. kCorrupt when `sealed`
// or `aad` was changed, or the key is another: `out` must not be used then. kInternal when libcrypto fails.
base::Result<void> OpenGcm(const GcmKey& with, base::ByteView aad, base::ByteView sealed, std::span<std::uint8_t> out);

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_AES_GCM_H_
