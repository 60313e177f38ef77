// The certificate of key destruction for people: one sheet for each key that a ceremony destroyed, from the
// certificates among the record's artefacts and from what the record itself says of approvals and signatures.
#ifndef CEREMONY_REPORT_DESTRUCTION_PAGE_H_
#define CEREMONY_REPORT_DESTRUCTION_PAGE_H_

#include <string>
#include <vector>

#include "ceremony/report/report_data.h"

namespace ceremony::report {

// A certificate as the record has it.
struct DestructionFile {
  std::string name;    // of the artefact: "destruction/root-oca.destruction.json"
  std::string sha256;  // as the log says
  std::string bytes;   // as they are on the disk, of that digest
  std::string step;    // that destroyed the key
};

// ReadDestructions reads the certificates of a record, or that of one key. kNotFound when there is none;
// kCorrupt ART-DIGEST when a file is not what the log says.
base::Result<std::vector<DestructionFile>> ReadDestructions(const std::string& record, const ReportData& data,
                                                            const std::string& key);

// DestructionPage returns a whole page. It decides nothing: the verdict is that of `data`.
std::string DestructionPage(const ReportData& data, const std::vector<DestructionFile>& certificates);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_DESTRUCTION_PAGE_H_
