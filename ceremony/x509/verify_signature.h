// Verifies the signature of a certificate from its view.
#ifndef CEREMONY_X509_VERIFY_SIGNATURE_H_
#define CEREMONY_X509_VERIFY_SIGNATURE_H_

#include "ceremony/x509/view.h"
#include "hsm/base/bytes.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

// VerifySignature checks `signature`, which need not be the bytes that stand in
// the certificate, over its TBS, with the algorithm that it names inside and
// outside. kCorrupt when it does not verify, kUnsupported for an algorithm that
// is not in the table.
base::Result<void> VerifySignature(const CertificateView& certificate, base::ByteView signature,
                                   const base::PublicKey& issuer_key);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_VERIFY_SIGNATURE_H_
