// How every kind of file is read: by its table, then by what only its own kind knows.
#ifndef CEREMONY_SCRIPT_PARSED_H_
#define CEREMONY_SCRIPT_PARSED_H_

#include <nlohmann/json.hpp>
#include <utility>

#include "ceremony/script/fields.h"
#include "ceremony/script/problems.h"
#include "ceremony/script/strict_json.h"
#include "hsm/base/result.h"

namespace ceremony::script {

// Parsed reads a file by its table and calls `build(document, values, made, problems)`, which fills in `made` from the
// checked values and adds further problems. Any problem is an error; `problems` gets them, too, unless it is nullptr.
template <typename Made, typename Build>
base::Result<Made> Parsed(const FieldTable& table, LoadedFile file, Problems* problems, Build build) {
  Problems own;
  Problems& all = problems == nullptr ? own : *problems;
  const std::size_t before = all.count();
  Document document;
  nlohmann::json values;
  Made made;
  if (ParseFile(table, file, document, values, all)) build(document, values, made, all);
  if (all.count() > before) return all.ToError();
  if constexpr (requires { made.file; }) made.file = std::move(file);
  return made;
}

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_PARSED_H_
