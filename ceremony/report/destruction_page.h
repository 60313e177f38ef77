// The certificate of key destruction for people: one sheet for each destroyed key, from the certificates among the
// record's artefacts, and the approvals and signatures of the record.
#ifndef CEREMONY_REPORT_DESTRUCTION_PAGE_H_
#define CEREMONY_REPORT_DESTRUCTION_PAGE_H_

#include <string>
#include <vector>

#include "ceremony/report/report_data.h"

namespace ceremony::report {

// A certificate among the artefacts of a record.
struct DestructionFile {
  std::string name;    // of the artefact: "destruction/root-oca.destruction.json"
  std::string sha256;  // in the log
  std::string bytes;   // of the file, with that digest
  std::string step;    // the step that destroyed the key
};

// ReadDestructions reads the certificates of a record, or that of one key. kNotFound when there is none;
// kCorrupt ART-DIGEST when a file differs from the log.
base::Result<std::vector<DestructionFile>> ReadDestructions(const std::string& record, const ReportData& data,
                                                            const std::string& key);

// DestructionPage returns a whole page. It shows the verdict of `data`.
std::string DestructionPage(const ReportData& data, const std::vector<DestructionFile>& certificates);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_DESTRUCTION_PAGE_H_
