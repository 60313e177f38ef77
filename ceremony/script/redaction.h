// The redaction rules: which parts of a record are for whom, and why the others
// are not. They belong to the operator and not to a ceremony: one file serves
// every record. What they do is record/redact.h.
//
// Format keyceremony-redaction/1.
#ifndef CEREMONY_SCRIPT_REDACTION_H_
#define CEREMONY_SCRIPT_REDACTION_H_

#include <string>

#include "ceremony/record/redact.h"
#include "ceremony/script/fields.h"
#include "ceremony/script/strict_json.h"
#include "hsm/base/result.h"

namespace ceremony::script {

struct RedactionFile {
  std::string title;
  record::RedactionRules rules;
};

const FieldTable& RedactionTable();

// ParseRedaction checks beyond the table that every reason is explained
// (INPUT-09), that files are ones which may be withheld (INPUT-05), and that no
// rule says twice of one thing how confidential it is (INPUT-12).
base::Result<RedactionFile> ParseRedaction(LoadedFile file, Problems* problems = nullptr);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_REDACTION_H_
