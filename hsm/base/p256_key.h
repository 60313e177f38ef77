// P-256 keys in libcrypto's own form, made and read without its decoders.
//
// OpenSSL 3 reads and writes a private key through chains of decoders and
// encoders that are looked up anew each time: 4 to 5 million instructions a
// key, which was a fifth of a whole ceremony. DER leaves no choice in these
// structures, so their bytes are compared and copied instead, and what is not
// exactly so is left to the library (the functions return nothing).
#ifndef HSM_BASE_P256_KEY_H_
#define HSM_BASE_P256_KEY_H_

#include <openssl/types.h>

#include <memory>

#include "hsm/base/bytes.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"
#include "hsm/base/secret_bytes.h"

namespace base {

struct EvpKeyDeleter {
  void operator()(EVP_PKEY* key) const;
};
using EvpKey = std::unique_ptr<EVP_PKEY, EvpKeyDeleter>;

// GenerateP256 makes a key pair; nullptr when libcrypto could not.
EvpKey GenerateP256();

// P256FromPkcs8 reads a PrivateKeyInfo (RFC 5208) of an ECPrivateKey (RFC 5915)
// with its public key, as OpenSSL writes it: 138 bytes. nullptr for anything
// else, which may well be a key.
EvpKey P256FromPkcs8(ByteView der);

// P256FromPublicKey gives the public half alone; nullptr when it is of another algorithm.
EvpKey P256FromPublicKey(const PublicKey& key);

// PublicHalfOf reads the public key of a key that came from above. kInternal.
Result<PublicKey> PublicHalfOf(const EVP_PKEY* p256);

// P256ToPkcs8 is the reverse of P256FromPkcs8. kInternal.
Result<SecretBytes> P256ToPkcs8(const EVP_PKEY* p256);

}  // namespace base

#endif  // HSM_BASE_P256_KEY_H_
