#include "ceremony/verify/verify.h"

#include "ceremony/verify/certificate_audit.h"

namespace ceremony::verify {

base::Result<record::RecordReport> VerifyRecord(const std::string& folder, record::VerifyOptions options) {
  CertificateAudit contents;
  options.contents = &contents;
  return record::VerifyRecord(folder, options);
}

base::Result<record::ArchiveReport> VerifyArchive(const std::string& folder, record::VerifyOptions options) {
  CertificateAudit contents;
  options.contents = &contents;
  return record::VerifyArchive(folder, options);
}

}  // namespace ceremony::verify
