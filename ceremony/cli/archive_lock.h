// One program at a time works in an archive: it makes tokens and people of a rehearsal, mends what was torn, begins a
// record or goes on with one. Who only reads takes no lock.
#ifndef CEREMONY_CLI_ARCHIVE_LOCK_H_
#define CEREMONY_CLI_ARCHIVE_LOCK_H_

#include <string>

#include "hsm/base/file.h"
#include "hsm/base/result.h"

namespace ceremony::cli {

// MakeArchive makes the folder of an archive, and those above it, where there are none. It is its owner's alone, as
// its records are: their names tell of ceremonies. kIo.
base::Result<void> MakeArchive(const std::string& archive);

// LockArchive holds the folder, which must exist, as long as the result lives: flock(2), so that nothing is left behind
// by a program that is killed. ARCHIVE-BUSY-01: another program holds it. On a file system that has no such lock it
// holds nothing; a record is locked by itself.
base::Result<base::FileDescriptor> LockArchive(const std::string& archive);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_ARCHIVE_LOCK_H_
