// The DER reader and the lint over any bytes, as a certificate and as a TBS.
// Beyond not failing, what they say of one input must agree:
// - every offset lies within the input;
// - the strict decoder takes nothing that the lint did not read to its end;
// - what the strict decoder takes, OpenSSL's decoder reads alike, if it reads it.
#include <cstdio>
#include <cstdlib>

#include "ceremony/x509/certificate.h"
#include "ceremony/x509/lint.h"
#include "ceremony/x509/openssl_check.h"

namespace {

using namespace ceremony::x509;

void Demand(bool holds, int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "what line %d demands does not hold\n", line);
  std::abort();
}

void CheckOffsets(const Findings& findings, std::size_t size) {
  for (const Finding& finding : findings.list()) {
    Demand(finding.offset <= size);
    Demand(!finding.Text().empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Linter linter;
  const base::ByteView bytes{data, size};

  Findings findings(bytes);
  CertificateView view;
  const bool complete = linter.CheckCertificate(bytes, view, findings);
  Demand(complete || !findings.empty());
  CheckOffsets(findings, size);
  const auto certificate = Certificate::Parse(bytes);
  Demand(complete || !certificate.ok());
  if (certificate.ok()) {
    const auto openssl = OpensslFields(bytes);
    if (openssl.ok() && findings.empty()) Demand(CompareDecoders(*openssl, certificate->fields()).AllEqual());
  }

  Findings tbs_findings(bytes);
  TbsView tbs;
  Demand(linter.CheckTbs(bytes, tbs, tbs_findings) || !tbs_findings.empty());
  CheckOffsets(tbs_findings, size);
  return 0;
}
