// JSON Schemas (draft 2020-12) of the input files, for editors and for other
// programs, generated from the tables that parse them.
#ifndef CEREMONY_SCRIPT_SCHEMA_H_
#define CEREMONY_SCRIPT_SCHEMA_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/fields.h"
#include "ceremony/script/script.h"
#include "hsm/base/result.h"

namespace ceremony::script {

// The kinds of file: "script", "binding", "policy", "roster" and so on (file_kinds.cc).
std::vector<std::string> FileKinds();

// TableOf returns the table of a file kind; kInvalidInput for an unknown word, with
// the nearest one. `kinds` gives the steps of a script.
base::Result<FieldTable> TableOf(std::string_view kind, const StepFieldSource& kinds);

// GenerateSchema is the text that `keyceremony schema KIND` prints: the schema
// of a file kind, indented, with a line feed at its end.
base::Result<std::string> GenerateSchema(std::string_view kind, const StepFieldSource& kinds);

// GenerateReference is the same table as Markdown, for docs/script-format.md.
std::string GenerateReference(const FieldTable& table);
// GenerateShapes explains the kinds of text that the reference names.
std::string GenerateShapes();

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_SCHEMA_H_
