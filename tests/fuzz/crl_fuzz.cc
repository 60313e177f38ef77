// The CRL reader and its lint over any bytes, as a CRL and as a TBSCertList.
// What they say of one input must agree:
// - every offset lies within the input;
// - the strict decoder takes nothing that the lint did not read to its end;
// - what both take, OpenSSL's decoder reads alike, if it reads it;
// - the entries that are handed out are those that were counted.
#include "ceremony/x509/bundle.h"
#include "ceremony/x509/crl.h"
#include "ceremony/x509/lint.h"
#include "tests/fuzz/demand.h"

namespace {

using namespace ceremony::x509;
using fuzz::CheckOffsets;
using fuzz::Demand;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::ByteView bytes{data, size};
  const std::vector<Finding> findings = LintCrl(bytes);
  CheckOffsets(findings, size);

  Findings parsing(bytes);
  CrlView view;
  const bool complete = ParseCrl(bytes, view, parsing);
  Demand(complete || !parsing.empty());
  const auto crl = Crl::Parse(bytes);
  Demand(crl.ok() == (complete && parsing.empty()));
  if (crl.ok()) {
    Findings entries(bytes);
    RevokedReader reader(view.tbs.revoked, entries);
    std::size_t count = 0;
    while (const auto entry = reader.Next()) {
      if (entry->issuer.empty()) Demand(crl->Revokes(entry->serial));
      ++count;
    }
    Demand(count == view.tbs.revoked_count);
    Demand(LooksLikeCrl(bytes));
    const auto openssl = OpensslCrlFields(bytes);
    if (openssl.ok() && findings.empty()) Demand(CompareCrlDecoders(*openssl, crl->fields()).AllEqual());
  }
  CheckOffsets(LintCertListBytes(bytes), size);
  return 0;
}
