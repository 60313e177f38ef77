// The reader of certification requests, its lint and the import over any bytes.
// What they say of one input must agree:
// - every offset lies within the input;
// - the strict decoder takes nothing that it did not read to its end;
// - what it takes and the lint finds nothing in, OpenSSL decodes;
// - what is imported has proven possession, and the profile makes its subject.
#include "ceremony/x509/request.h"
#include "tests/fuzz/demand.h"

namespace {

using namespace ceremony::x509;
using fuzz::CheckOffsets;
using fuzz::Demand;

// Open wherever a profile can be.
const Profile& OpenProfile() {
  static const Profile profile = [] {
    Profile made;
    made.name = "open";
    made.subject = {{"OU", StringEncoding::kPrintableString, std::nullopt, 64, true},
                    {"CN", StringEncoding::kUtf8String, std::nullopt, 64, true}};
    made.key_algorithms = {base::KeyAlgorithm::kEcP256, base::KeyAlgorithm::kRsa2048};
    made.extensions = {{"keyUsage", true, false, KeyUsageRule{kDigitalSignature}},
                       {"subjectAltName", true, false,
                        SubjectAltNameRule{{{GeneralNameKind::kHardwareModule, std::nullopt, "1.2.826.0.1.1800000.1.1"},
                                            {GeneralNameKind::kDns},
                                            {GeneralNameKind::kIp}}}},
                       {"1.2.3.4", false, true, RawExtensionRule{}},
                       {"authorityKeyIdentifier", false, false, AuthorityKeyIdentifierRule{}}};
    return made;
  }();
  return profile;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::ByteView bytes{data, size};
  CheckOffsets(LintRequest(bytes), size);
  CheckOffsets(LintRequestInfoBytes(bytes), size);
  const std::vector<Finding> proof = LintRequestProof(bytes);
  CheckOffsets(proof, size);

  Findings parsing(bytes);
  RequestView view;
  const bool complete = ParseRequest(bytes, view, parsing);
  Demand(complete || !parsing.empty());
  const auto request = Request::Parse(bytes);
  Demand(request.ok() == (complete && parsing.empty()));
  if (request.ok() && LintRequest(bytes).empty()) Demand(OpensslReadsRequest(bytes, RequestCheck::kDecode).ok());

  const auto imported = ImportRequest(bytes, OpenProfile());
  if (imported.ok()) {
    Demand(imported->request().VerifyPossession().ok());
    Demand(BuildName(OpenProfile(), imported->subject()).ok());
    Demand(CheckAlternativeNames(OpenProfile(), imported->alternative_names()).ok());
  } else {
    Demand(!imported.error().rule.empty());
  }
  return 0;
}
