// PublicKey is a public key by its DER SubjectPublicKeyInfo (RFC 5280 4.1.2.7),
// which is how keys are named, compared and pinned everywhere.
#ifndef HSM_BASE_PUBLIC_KEY_H_
#define HSM_BASE_PUBLIC_KEY_H_

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hsm/base/bytes.h"
#include "hsm/base/digest.h"
#include "hsm/base/ecdsa_signature.h"
#include "hsm/base/result.h"

namespace base {

enum class KeyAlgorithm : std::uint8_t { kEcP256, kEcP384, kEcP521, kEd25519, kRsa2048, kRsa3072, kRsa4096 };

enum class KeyFamily : std::uint8_t { kEc, kEdwards, kRsa };

// KeyAlgorithmFacts is the one table of what we know of an algorithm; script
// fields, generation, look-up and validation all read it.
struct KeyAlgorithmFacts {
  KeyAlgorithm algorithm;
  KeyFamily family;
  std::string_view name;           // as scripts spell it: "ec-p256", "ed25519", "rsa-4096"
  std::string_view title;          // as people read it: "EC P-256", "RSA 4096"
  std::string_view curve_oid_der;  // DER of the named curve OID, empty for RSA
  unsigned bits;                   // modulus bits, or field bits
  unsigned field_bytes;            // size of a coordinate or of r and s; 0 for RSA
  std::optional<Curve> curve;      // of ECDSA; none for Ed25519 and RSA
  DigestAlgorithm ecdsa_digest;    // bound to the curve (RFC 5758 section 3.2); means nothing without one
};
std::span<const KeyAlgorithmFacts> KeyAlgorithms();
const KeyAlgorithmFacts& FactsOf(KeyAlgorithm algorithm);
// FindKeyAlgorithm returns nullptr for a name that is not in the table.
const KeyAlgorithmFacts* FindKeyAlgorithm(std::string_view name);

// How a message becomes a signature. ECDSA digests are bound to the curve
// (P-256/SHA-256, P-384/SHA-384, P-521/SHA-512; RFC 5758 section 3.2 pairs).
enum class SignatureScheme : std::uint8_t {
  kEcdsa,
  kEd25519,
  // What stands behind these names is in rsa_scheme.h.
  kRsaPkcs1Sha256,
  kRsaPkcs1Sha384,
  kRsaPkcs1Sha512,
  kRsaPssSha256,
  kRsaPssSha384,
  kRsaPssSha512,
};

class PublicKey final {
 public:
  // FromSpki parses strictly (trailing bytes, unknown algorithm, a point that
  // is compressed or not on its curve, an RSA modulus of another size or an
  // even exponent or one below 65537: kInvalidInput).
  static Result<PublicKey> FromSpki(ByteView der);
  // FromEcPoint builds from an uncompressed point (0x04 || x || y).
  static Result<PublicKey> FromEcPoint(Curve curve, ByteView point);
  // FromEd25519 takes the 32 bytes of RFC 8032.
  static Result<PublicKey> FromEd25519(ByteView raw);
  // FromRsa takes modulus and public exponent, big-endian.
  static Result<PublicKey> FromRsa(ByteView modulus, ByteView exponent);

  KeyAlgorithm algorithm() const;
  ByteView spki() const;              // the DER SubjectPublicKeyInfo
  std::string SpkiSha256Hex() const;  // the name of the key in records
  Bytes EcPoint() const;              // 0x04 || x || y; empty unless EC

  // Verify checks a signature over `message` in software. ECDSA signatures are strict DER (not necessarily low-S:
  // CheckStrictLowSDer says that). kCorrupt when it does not verify; never true for another reason. The key and its
  // copies remember the last 64 that verified: who hands it on and who takes it over both verify it, and pay once.
  Result<void> Verify(SignatureScheme scheme, ByteView message, ByteView signature) const;

  bool operator==(const PublicKey& other) const;

 private:
  struct State;
  explicit PublicKey(std::shared_ptr<const State> state);
  std::shared_ptr<const State> state_;
};

}  // namespace base

#endif  // HSM_BASE_PUBLIC_KEY_H_
