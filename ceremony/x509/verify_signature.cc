#include "ceremony/x509/verify_signature.h"

#include "ceremony/x509/issue_parts.h"

namespace ceremony::x509 {

base::Result<void> VerifySignature(const CertificateView& certificate, base::ByteView signature,
                                   const base::PublicKey& issuer_key) {
  return parts::Verify({certificate.tbs.whole, &certificate.tbs.signature, &certificate.algorithm, signature,
                        certificate.signature_unused_bits},
                       issuer_key);
}

}  // namespace ceremony::x509
