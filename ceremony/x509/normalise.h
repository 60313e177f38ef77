// Normalise turns a certificate whose ECDSA signature is right but not DER into
// one with the same signature in DER. The TBS stays as it is, byte for byte.
#ifndef CEREMONY_X509_NORMALISE_H_
#define CEREMONY_X509_NORMALISE_H_

#include <string>
#include <vector>

#include "ceremony/x509/view.h"
#include "hsm/base/bytes.h"
#include "hsm/base/ecdsa_signature.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

// NormalisedSignature is r and s in strict DER, and what was repaired.
struct NormalisedSignature {
  base::Bytes der;
  std::vector<std::string> repairs;  // "r: 1 redundant leading octet dropped"; empty: it was DER
};

// NormaliseSignature accepts redundant leading zeros, lengths that are not
// minimal, r or s without the 00 that keeps it positive, and raw r||s of the
// curve's size. s is left as it is, high or low. kInvalidInput for anything else.
base::Result<NormalisedSignature> NormaliseSignature(base::Curve curve, base::ByteView signature);

struct NormalisedCertificate {
  base::Bytes der;
  std::vector<std::string> repairs;  // empty: nothing to do, `der` is what was given
};

// NormaliseCertificate verifies the signature under `issuer_key` as it was read
// leniently, builds the certificate anew around the same TBS bytes, and then
// decodes, verifies and lints it strictly. Refusals: NORMALISE-01 it is no
// certificate, or has mistakes that another encoding of the signature does not
// mend; NORMALISE-02 the key makes no ECDSA signatures; NORMALISE-03 the
// signature cannot be read, or does not verify.
base::Result<NormalisedCertificate> NormaliseCertificate(base::ByteView der, const base::PublicKey& issuer_key);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_NORMALISE_H_
