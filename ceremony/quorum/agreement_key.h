// AgreementKey is the private half of a custodian's `open_key`: the key that
// opens sealed shares. It may live in a file or on a card; a sealed share cannot
// tell the difference.
#ifndef CEREMONY_QUORUM_AGREEMENT_KEY_H_
#define CEREMONY_QUORUM_AGREEMENT_KEY_H_

#include "hsm/base/public_key.h"
#include "hsm/base/result.h"
#include "hsm/base/secret_bytes.h"

namespace ceremony::quorum {

class AgreementKey {
 public:
  virtual ~AgreementKey() = default;
  virtual const base::PublicKey& public_key() const = 0;  // P-256
  // Agree returns the x coordinate of the Diffie-Hellman point with `peer`
  // (32 bytes, SP 800-56A 5.7.1.2). kInvalidInput when `peer` is not P-256.
  virtual base::Result<base::SecretBytes> Agree(const base::PublicKey& peer) = 0;
};

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_AGREEMENT_KEY_H_
