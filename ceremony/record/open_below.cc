#include "ceremony/record/open_below.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ceremony::record {

bool IsPlainPath(std::string_view path) {
  for (;;) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    if (name.empty() || name == "." || name == ".." || name.find('\0') != std::string_view::npos) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

base::FileDescriptor OpenBelow(int folder, const std::string& path, int flags) {
  open_how how = {};
  how.flags = static_cast<unsigned>(flags);
  if ((flags & O_CREAT) != 0) how.mode = 0600;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  // The C library has no name for it yet.
  return base::FileDescriptor(static_cast<int>(syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how)));
}

}  // namespace ceremony::record
