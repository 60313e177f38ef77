// CheckModuleFile checks the file of a module before it is loaded: dlopen waits for ever on a pipe, and a truncated
// shared object ends the whole process (SIGBUS).
#ifndef HSM_MODULE_FILE_H_
#define HSM_MODULE_FILE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "hsm/base/result.h"

namespace hsm {

// FileStamp changes when a file is replaced or rewritten, as far as the file system tells.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t changed_ns = 0;  // time of the last change of the contents

  bool operator==(const FileStamp&) const = default;
};
// StampOf is nothing when there is no file at that path.
std::optional<FileStamp> StampOf(const std::string& path);

// kNotFound: there is no such file. kUnsupported: it is no file, no shared object, or a part of one. Whether it is for
// this processor, and a PKCS#11 module, is left to the loader and to RealCryptoki::Load.
base::Result<void> CheckModuleFile(const std::string& path);

}  // namespace hsm

#endif  // HSM_MODULE_FILE_H_
