// Signature algorithms of certificates: one table of OID, AlgorithmIdentifier
// and the keys each works with.
#ifndef CEREMONY_X509_SIGNATURE_ALGORITHM_H_
#define CEREMONY_X509_SIGNATURE_ALGORITHM_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "hsm/base/bytes.h"
#include "hsm/base/public_key.h"

namespace ceremony::x509 {

enum class SignatureAlgorithm : std::uint8_t {
  kEcdsaSha256,
  kEcdsaSha384,
  kEcdsaSha512,
  kEd25519,
  kRsaPkcs1Sha256,
  kRsaPkcs1Sha384,
  kRsaPkcs1Sha512,
  kRsaPssSha256,
  kRsaPssSha384,
  kRsaPssSha512,
};

struct SignatureAlgorithmFacts {
  SignatureAlgorithm algorithm;
  std::string_view name;            // as profiles spell it: "ecdsa-with-SHA256"
  std::string_view identifier_hex;  // the whole DER AlgorithmIdentifier, lowercase hex
  base::SignatureScheme scheme;
  std::string_view clause;  // where the AlgorithmIdentifier is fixed
};

std::span<const SignatureAlgorithmFacts> SignatureAlgorithms();
const SignatureAlgorithmFacts& FactsOf(SignatureAlgorithm algorithm);
// FindSignatureAlgorithm returns nullptr for a name that is not in the table.
const SignatureAlgorithmFacts* FindSignatureAlgorithm(std::string_view name);

// IdentifierOf returns the DER AlgorithmIdentifier: for ECDSA and Ed25519
// without parameters (RFC 5758 section 3.2, RFC 8410 section 3), for RSA
// PKCS#1 with NULL (RFC 4055 section 5).
base::ByteView IdentifierOf(SignatureAlgorithm algorithm);

// FindByIdentifier compares the whole AlgorithmIdentifier byte by byte and
// returns nullptr when no algorithm of ours has these bytes.
const SignatureAlgorithmFacts* FindByIdentifier(base::ByteView identifier);

// Fits says whether a key can make this signature (ECDSA pairs curve and digest).
bool Fits(SignatureAlgorithm algorithm, base::KeyAlgorithm key);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_SIGNATURE_ALGORITHM_H_
