// What a copy of a key signs to show that it is that key: a text that calls itself a
// proof of copy, or a certificate request (PKCS#10, RFC 2986) with that text in it,
// because a request gives nobody a right. Both name the key, the token and a nonce, and
// neither can be read as a certificate, a CRL or a record.
#ifndef CEREMONY_X509_COPY_PROOF_H_
#define CEREMONY_X509_COPY_PROOF_H_

#include <optional>
#include <string>

#include "hsm/base/bytes.h"

namespace ceremony::x509 {

struct CopyProof {
  std::string spki_sha256;  // of the key, 64 hex digits
  std::string serial;       // of the token
  std::string nonce;        // 32 hex digits
  bool is_request = false;
};

// CopyProofText is the text.
std::string CopyProofText(const CopyProof& proof);
// CopyProofRequest is the CertificationRequestInfo (RFC 2986 section 4.1) with the text.
base::Bytes CopyProofRequest(const CopyProof& proof, base::ByteView spki);

// ReadCopyProof returns what such a message says; nothing for one that differs by a byte from what the two above make.
std::optional<CopyProof> ReadCopyProof(base::ByteView message);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_COPY_PROOF_H_
