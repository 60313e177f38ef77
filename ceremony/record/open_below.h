// OpenBelow opens a path below a folder in one system call that follows no
// symbolic link and leaves the folder by no component (openat2, Linux 5.6).
#ifndef CEREMONY_RECORD_OPEN_BELOW_H_
#define CEREMONY_RECORD_OPEN_BELOW_H_

#include <string>
#include <string_view>

#include "hsm/base/file.h"

namespace ceremony::record {

// IsPlainPath accepts names joined by single slashes, none of them empty, `.` or
// `..`, and none with a zero byte.
bool IsPlainPath(std::string_view path);

// OpenBelow returns a descriptor, or none: the kernel has no such call, or it
// failed (errno). A caller then goes component by component, which says
// where the way ends and why. `flags` as for openat(2); a new file has mode 0600.
base::FileDescriptor OpenBelow(int folder, const std::string& path, int flags);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_OPEN_BELOW_H_
