// SoftwareAgreementKey is an AgreementKey in this process: from the PKCS#8 file
// that a custodian keeps on a stick, or made for one sealing.
#ifndef CEREMONY_QUORUM_SOFTWARE_AGREEMENT_KEY_H_
#define CEREMONY_QUORUM_SOFTWARE_AGREEMENT_KEY_H_

#include <memory>

#include "ceremony/quorum/agreement_key.h"

namespace ceremony::quorum {

class SoftwareAgreementKey final : public AgreementKey {
 public:
  // Generate makes a P-256 key pair with libcrypto's generator.
  static base::Result<std::unique_ptr<SoftwareAgreementKey>> Generate();
  // FromPkcs8 reads a DER PrivateKeyInfo (RFC 5208); kInvalidInput when it is
  // not one, has trailing bytes, or is not a P-256 key. `pkcs8` may be wiped after.
  static base::Result<std::unique_ptr<SoftwareAgreementKey>> FromPkcs8(const base::SecretBytes& pkcs8);
  ~SoftwareAgreementKey() override;

  const base::PublicKey& public_key() const override;
  base::Result<base::SecretBytes> Agree(const base::PublicKey& peer) override;
  // ToPkcs8 returns the DER PrivateKeyInfo, for a file of a simulated person.
  base::Result<base::SecretBytes> ToPkcs8() const;

 private:
  struct State;
  explicit SoftwareAgreementKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_SOFTWARE_AGREEMENT_KEY_H_
