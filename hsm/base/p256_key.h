// P-256 keys in libcrypto's own form, made and read without its decoders.
//
// OpenSSL 3 looks up a chain of decoders or encoders each time it reads or writes a private key: 4 to 5 million
// instructions a key, which was a fifth of a whole ceremony. DER leaves no choice in these structures, so their bytes
// are compared and copied here. For any other form the functions return nothing, and the caller asks the library.
#ifndef HSM_BASE_P256_KEY_H_
#define HSM_BASE_P256_KEY_H_

#include <openssl/evp.h>

#include "hsm/base/bytes.h"
#include "hsm/base/owned.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"
#include "hsm/base/secret_bytes.h"

namespace base {

using EvpKey = Owned<EVP_PKEY, EVP_PKEY_free>;

// GenerateP256 makes a key pair; nullptr when libcrypto could not.
EvpKey GenerateP256();

// P256FromPkcs8 reads a PrivateKeyInfo (RFC 5208) of an ECPrivateKey (RFC 5915)
// with its public key, as OpenSSL writes it: 138 bytes. nullptr for anything else, which may be a key in another form.
EvpKey P256FromPkcs8(ByteView der);

// P256FromPublicKey gives the public half alone; nullptr when it is of another algorithm.
EvpKey P256FromPublicKey(const PublicKey& key);

// PublicHalfOf reads the public key of a key that came from above. kInternal.
Result<PublicKey> PublicHalfOf(const EVP_PKEY* p256);

// P256ToPkcs8 is the reverse of P256FromPkcs8. kInternal.
Result<SecretBytes> P256ToPkcs8(const EVP_PKEY* p256);

}  // namespace base

#endif  // HSM_BASE_P256_KEY_H_
