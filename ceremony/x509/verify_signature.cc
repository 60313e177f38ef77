#include "ceremony/x509/verify_signature.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/finding.h"
#include "ceremony/x509/signature_algorithm.h"

namespace ceremony::x509 {

base::Result<void> VerifySignature(const CertificateView& certificate, base::ByteView signature,
                                   const base::PublicKey& issuer_key) {
  const base::ByteView inner = certificate.tbs.signature.whole;
  const base::ByteView outer = certificate.algorithm.whole;
  if (!std::equal(inner.begin(), inner.end(), outer.begin(), outer.end()))
    return base::MakeError(base::ErrorCode::kCorrupt, fmt::format("signature algorithm is {} inside and {} outside",
                                                                  HexExcerpt(inner), HexExcerpt(outer)));
  const SignatureAlgorithmFacts* facts = FindByIdentifier(outer);
  if (facts == nullptr)
    return base::MakeError(base::ErrorCode::kUnsupported, "signature algorithm " + HexExcerpt(outer) + " is not known");
  if (!Fits(facts->algorithm, issuer_key.algorithm()))
    return base::MakeError(
        base::ErrorCode::kCorrupt,
        fmt::format("an {} key does not make {} signatures", base::FactsOf(issuer_key.algorithm()).title, facts->name));
  if (certificate.signature_unused_bits != 0)
    return base::MakeError(base::ErrorCode::kCorrupt, "the signature is not whole octets");
  return issuer_key.Verify(facts->scheme, certificate.tbs.whole, signature);
}

}  // namespace ceremony::x509
