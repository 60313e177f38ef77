// The judgement of a second library: OpenSSL decodes, verifies and judges a
// certificate, and its complaints become findings.
#ifndef CEREMONY_X509_OPENSSL_CHECK_H_
#define CEREMONY_X509_OPENSSL_CHECK_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ceremony/x509/certificate.h"
#include "ceremony/x509/compare.h"
#include "ceremony/x509/finding.h"
#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

// OpensslFields decodes a certificate with OpenSSL alone. kCorrupt when it
// cannot, or when what it encodes again is not the same bytes.
base::Result<Fields> OpensslFields(base::ByteView certificate_der);

// OpensslTbsFields does the same for a TBS, inside a certificate with an empty signature.
base::Result<Fields> OpensslTbsFields(base::ByteView tbs_der);

// CompareDecoders has one row for each field: `profile_says` is what OpenSSL
// reads, `certificate_has` what we read.
Comparison CompareDecoders(const Fields& openssl, const Fields& ours);

// OpensslVerify builds and verifies the chain from `certificate_der` over
// `intermediates` to one of `roots` at `at_time` (seconds since 1970 UTC), with
// strict checking, policy checking and the signature of self-signed roots
// included. Every complaint is a finding OPENSSL-01 (verification), -02
// (decoding) or -03 (a CA certificate that OpenSSL would not use as a CA).
// Empty means accepted.
std::vector<Finding> OpensslVerify(base::ByteView certificate_der, const std::vector<base::Bytes>& intermediates,
                                   const std::vector<base::Bytes>& roots, std::int64_t at_time);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_OPENSSL_CHECK_H_
