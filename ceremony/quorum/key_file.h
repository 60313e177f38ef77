// Key files are PKCS#8 in PEM (RFC 5958, RFC 7468): how a custodian keeps a
// private key on a stick. What openssl writes is read, and what is written here
// openssl reads.
#ifndef CEREMONY_QUORUM_KEY_FILE_H_
#define CEREMONY_QUORUM_KEY_FILE_H_

#include <string>

#include "hsm/base/result.h"
#include "hsm/base/secret_bytes.h"

namespace ceremony::quorum {

// Makes each guess of a passphrase slow: PBKDF2-HMAC-SHA256 (OWASP, 2023).
inline constexpr int kPassphraseIterations = 600'000;
// The least number of characters in a new passphrase.
inline constexpr std::size_t kMinPassphrase = 12;

// ReadKeyFile reads at most 16 KiB; kIo when it cannot be read, kInvalidInput
// when it is larger or empty. A symbolic link is not followed.
base::Result<base::SecretBytes> ReadKeyFile(const std::string& path);

// IsEncrypted tells by the labels of PEM blocks whether a passphrase is needed; false if one key is in clear.
bool IsEncrypted(const base::SecretBytes& pem);

// DecryptKey returns the DER PrivateKeyInfo of a PEM file; an unencrypted one
// takes an empty passphrase. kInvalidInput when it does not open: OpenSSL cannot
// tell a wrong passphrase from a damaged file, and neither can the message.
base::Result<base::SecretBytes> DecryptKey(const base::SecretBytes& pem, const base::SecretBytes& passphrase);

// EncryptKey returns a PEM EncryptedPrivateKeyInfo: PBES2 with PBKDF2-HMAC-SHA256
// (kPassphraseIterations, 16 bytes of salt) and AES-256-CBC.
base::Result<std::string> EncryptKey(const base::SecretBytes& pkcs8, const base::SecretBytes& passphrase);

// Pkcs8Pem spells an unencrypted PKCS#8 as PEM; only for simulated people.
base::SecretBytes Pkcs8Pem(const base::SecretBytes& der);

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_KEY_FILE_H_
