// The redaction rules: who may see which parts of a record, and why others may
// not. They belong to the operator, not to a ceremony: one file serves every
// record. record/redact.h applies them.
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

// ParseRedaction checks more than the table: every reason is explained (INPUT-09),
// the files may be withheld (INPUT-05), and no two rules are about the same thing
// (INPUT-12).
base::Result<RedactionFile> ParseRedaction(LoadedFile file, Problems* problems = nullptr);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_REDACTION_H_
