// The last step of every writer: its text is read back before it is returned.
#ifndef CEREMONY_SCRIPT_WRITTEN_H_
#define CEREMONY_SCRIPT_WRITTEN_H_

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "ceremony/script/strict_json.h"
#include "hsm/base/digest.h"
#include "hsm/base/result.h"

namespace ceremony::script {

// Written spells `file`, indented, and has it read by `parse`, so that no writer
// makes a file that its reader refuses. Text that is not UTF-8 is kInvalidInput.
template <typename Parse>
base::Result<std::string> Written(const nlohmann::ordered_json& file, Parse parse) {
  LoadedFile written;
  try {
    written.bytes = file.dump(2) + "\n";
  } catch (const nlohmann::json::exception&) {
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           "expected UTF-8 text in what is to be written, found other bytes");
  }
  written.name = "what is to be written";
  written.sha256 = base::Sha256Hex(written.bytes);
  std::string bytes = written.bytes;
  if (auto read = parse(std::move(written)); !read.ok()) return std::move(read).error();
  return bytes;
}

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_WRITTEN_H_
