#include "ceremony/run/private_file.h"

#include <sys/stat.h>

#include <cerrno>

#include "hsm/base/file.h"

namespace ceremony::run {

base::Result<void> MakePrivateFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return base::SystemError("mkdir", path, errno);
}

base::Result<void> WritePrivateFile(const std::string& path, base::ByteView content) {
  return base::WriteFile(path, base::AsText(content), {.replace = true, .sync_folder = false});
}

}  // namespace ceremony::run
