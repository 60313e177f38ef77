// SoftwareSigner signs notes with a private key in this process's memory:
// rehearsals, custodians whose credential is a file, tests. The log key of a
// production ceremony is never one.
#ifndef CEREMONY_RECORD_SOFTWARE_SIGNER_H_
#define CEREMONY_RECORD_SOFTWARE_SIGNER_H_

#include <memory>
#include <string>
#include <string_view>

#include "ceremony/record/note.h"
#include "hsm/base/secret_bytes.h"

namespace ceremony::record {

// LowS gives the ECDSA signature on P-256 (DER) that libcrypto made the form of a note: it writes s as it comes, and
// the smaller of s and n - s is the same signature. kCorrupt when it is none.
base::Result<base::Bytes> LowS(base::ByteView der);

class SoftwareSigner final : public NoteSigner {
 public:
  // FromPkcs8 takes an unencrypted DER PrivateKeyInfo (RFC 5958) of a P-256 or
  // Ed25519 key; kInvalidInput or kUnsupported otherwise. The name is the key
  // name of the note.
  static base::Result<std::unique_ptr<SoftwareSigner>> FromPkcs8(std::string name, const base::SecretBytes& pkcs8);
  // Generate makes a fresh key.
  static base::Result<std::unique_ptr<SoftwareSigner>> Generate(std::string name, SignatureType type);

  ~SoftwareSigner() override;
  SoftwareSigner(const SoftwareSigner&) = delete;  // one owner of the private key
  SoftwareSigner& operator=(const SoftwareSigner&) = delete;

  const VerifierKey& key() const override;
  base::Result<base::Bytes> Sign(std::string_view text) override;

  // Pkcs8 returns the private key as FromPkcs8 takes it.
  base::Result<base::SecretBytes> Pkcs8() const;

 private:
  struct State;
  explicit SoftwareSigner(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_SOFTWARE_SIGNER_H_
