// The DER reader and the lint over any bytes, as a certificate and as a TBS.
// Beyond not failing, what they say of one input must agree:
// - every offset lies within the input;
// - the strict decoder takes nothing that the lint did not read to its end;
// - what the strict decoder takes, OpenSSL's decoder reads alike, if it reads it.
#include "ceremony/x509/certificate.h"
#include "ceremony/x509/lint.h"
#include "ceremony/x509/openssl_check.h"
#include "tests/fuzz/demand.h"

namespace {

using namespace ceremony::x509;
using fuzz::CheckOffsets;
using fuzz::Demand;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Linter linter;
  const base::ByteView bytes{data, size};

  Findings findings(bytes);
  CertificateView view;
  const bool complete = linter.CheckCertificate(bytes, view, findings);
  Demand(complete || !findings.empty());
  CheckOffsets(findings.list(), size);
  const auto certificate = Certificate::Parse(bytes);
  Demand(complete || !certificate.ok());
  if (certificate.ok()) {
    const auto openssl = OpensslFields(bytes);
    if (openssl.ok() && findings.empty()) Demand(CompareDecoders(*openssl, certificate->fields()).AllEqual());
  }

  Findings tbs_findings(bytes);
  TbsView tbs;
  Demand(linter.CheckTbs(bytes, tbs, tbs_findings) || !tbs_findings.empty());
  CheckOffsets(tbs_findings.list(), size);
  return 0;
}
