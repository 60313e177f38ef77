#include "ceremony/verify/verify.h"

#include <filesystem>

#include "ceremony/record/key_book.h"
#include "ceremony/record/reader.h"
#include "ceremony/record/record_name.h"
#include "ceremony/verify/certificate_audit.h"

namespace ceremony::verify {

base::Result<record::RecordReport> VerifyRecord(const std::string& folder, record::VerifyOptions options) {
  CertificateAudit contents;
  options.contents = &contents;
  return record::VerifyRecord(folder, options);
}

base::Result<record::RecordReport> VerifyRecordInArchive(const std::string& folder, record::VerifyOptions options) {
  const std::filesystem::path path = std::filesystem::path(folder).lexically_normal();
  const std::string archive = path.parent_path().string();
  CertificateAudit contents;
  record::KeyBook keys;
  record::VerifyOptions unjudged;
  unjudged.contents = &contents;
  unjudged.keys = &keys;
  KC_ASSIGN_OR_RETURN(const record::RecordFolder opened, record::RecordFolder::Open(archive.empty() ? "." : archive));
  KC_ASSIGN_OR_RETURN(const std::vector<std::string> names, record::RecordNames(opened));
  for (const std::string& name : names) {
    if (name == path.filename()) break;
    KC_RETURN_IF_ERROR(record::VerifyRecord(opened.path() + "/" + name, unjudged));
  }
  options.contents = &contents;
  options.keys = &keys;
  return record::VerifyRecord(folder, options);
}

base::Result<record::ArchiveReport> VerifyArchive(const std::string& folder, record::VerifyOptions options) {
  CertificateAudit contents;
  options.contents = &contents;
  return record::VerifyArchive(folder, options);
}

}  // namespace ceremony::verify
