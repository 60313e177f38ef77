// What a token computes with its keys, by libcrypto: the arithmetic of FakeCryptoki.
//
// Nothing here knows PKCS#11. A function that can be given bad input returns
// nothing for it; what only a bug or lack of memory can cause aborts.
#ifndef TESTS_SUPPORT_FAKE_CRYPTO_H_
#define TESTS_SUPPORT_FAKE_CRYPTO_H_

#include <openssl/types.h>

#include <memory>
#include <optional>

#include "hsm/base/bytes.h"
#include "hsm/base/digest.h"

namespace support::crypto {

using base::Bytes;
using base::ByteView;
using Key = std::shared_ptr<EVP_PKEY>;

// `group` is a name that libcrypto knows: "P-256", "P-384", "P-521".
Key GenerateEc(const char* group);
Key GenerateEd25519();
Key GenerateRsa(unsigned bits, ByteView exponent);
// EcFromScalar computes the point; nothing for a scalar outside [1, n-1].
Key EcFromScalar(const char* group, ByteView scalar);
// RsaPublic is a public key alone.
Key RsaPublic(ByteView modulus, ByteView exponent);

// PKCS#8 PrivateKeyInfo. Trailing zero bytes are ignored: modules pad with them.
Bytes Pkcs8(const Key& key);
Key FromPkcs8(ByteView der);

Bytes Spki(const Key& key);
Bytes EcPoint(const Key& key);  // 04 || x || y, or the 32 bytes of Ed25519
Bytes Scalar(const Key& key);   // the private value of an EC or Ed25519 key, full width
Bytes RsaModulus(const Key& key);
Bytes RsaExponent(const Key& key);
Bytes RsaPrivateExponent(const Key& key);
std::size_t SizeOf(const Key& key);   // bytes of a coordinate or of the modulus
const char* GroupOf(const Key& key);  // nullptr unless EC on one of the three curves

// Signatures. ECDSA is r||s, each of full width, over a digest that is given.
Bytes SignEcdsa(const Key& key, ByteView digest);
// HighS returns the other signature, r||n-s, if that has the higher s.
Bytes HighS(const Key& key, ByteView raw);
Bytes SignEd25519(const Key& key, ByteView message);
// PKCS#1 v1.5 padding over `digest_info` as it is; nothing if it is too long.
std::optional<Bytes> SignPkcs1(const Key& key, ByteView digest_info);
std::optional<Bytes> SignPss(const Key& key, base::DigestAlgorithm digest, std::size_t salt_size, ByteView hash);

// RSA-OAEP with MGF1 of the same hash and an empty label.
std::optional<Bytes> OaepEncrypt(const Key& key, base::DigestAlgorithm digest, ByteView plain);
std::optional<Bytes> OaepDecrypt(const Key& key, base::DigestAlgorithm digest, ByteView encrypted);

// Key wrap with padding (RFC 5649) and without (RFC 3394).
enum class WrapForm { kPadded, kPlain };
std::optional<Bytes> AesWrap(WrapForm form, ByteView aes_key, ByteView plain);
std::optional<Bytes> AesUnwrap(WrapForm form, ByteView aes_key, ByteView wrapped);

// Ecdh returns the x coordinate of the shared point.
std::optional<Bytes> Ecdh(const Key& key, ByteView peer_point);

}  // namespace support::crypto

#endif  // TESTS_SUPPORT_FAKE_CRYPTO_H_
