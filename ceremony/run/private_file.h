// Files of a rehearsal's people and tokens: only their owner reads them.
#ifndef CEREMONY_RUN_PRIVATE_FILE_H_
#define CEREMONY_RUN_PRIVATE_FILE_H_

#include <string>

#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::run {

// MakePrivateFolder makes a folder with mode 0700; one that is there is fine.
base::Result<void> MakePrivateFolder(const std::string& path);

// WritePrivateFile leaves either the old file or the whole new one, with mode 0600. Its bytes are
// durable; its name becomes durable when the folder is synced.
base::Result<void> WritePrivateFile(const std::string& path, base::ByteView content);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_PRIVATE_FILE_H_
