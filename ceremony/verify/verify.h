// VerifyRecord and VerifyArchive are those of record/verify.h, and also check the
// contents of files (certificate_audit.h). Every program of ours that gives a verdict
// calls these.
#ifndef CEREMONY_VERIFY_VERIFY_H_
#define CEREMONY_VERIFY_VERIFY_H_

#include <string>

#include "ceremony/record/verify.h"
#include "hsm/base/result.h"

namespace ceremony::verify {

// Errors and ownership as of record::VerifyRecord; `options.contents` is set here.
base::Result<record::RecordReport> VerifyRecord(const std::string& folder, record::VerifyOptions options);
// VerifyRecordInArchive judges one record with the keys and issuers of the records
// before it in its archive. Those records get no verdict here.
base::Result<record::RecordReport> VerifyRecordInArchive(const std::string& folder, record::VerifyOptions options);
base::Result<record::ArchiveReport> VerifyArchive(const std::string& folder, record::VerifyOptions options);

}  // namespace ceremony::verify

#endif  // CEREMONY_VERIFY_VERIFY_H_
