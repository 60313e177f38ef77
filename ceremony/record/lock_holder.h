// Finds the process that holds the flock of a file (proc(5), /proc/locks).
#ifndef CEREMONY_RECORD_LOCK_HOLDER_H_
#define CEREMONY_RECORD_LOCK_HOLDER_H_

#include <sys/types.h>

#include <optional>
#include <string_view>

namespace ceremony::record {

// FindLockHolder returns the process that holds a flock on the file, if
// /proc/locks shows one; a process of another pid namespace is not shown.
std::optional<pid_t> FindLockHolder(dev_t device, ino_t inode);

// FindLockHolderIn does the same with the text of /proc/locks given.
std::optional<pid_t> FindLockHolderIn(std::string_view locks, dev_t device, ino_t inode);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_LOCK_HOLDER_H_
