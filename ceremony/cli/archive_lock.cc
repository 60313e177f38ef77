#include "ceremony/cli/archive_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <optional>

#include "ceremony/record/lock_holder.h"

namespace ceremony::cli {

base::Result<void> MakeArchive(const std::string& archive) {
  namespace fs = std::filesystem;
  std::error_code error;
  const bool made = fs::create_directories(archive, error);
  if (!error && made) fs::permissions(archive, fs::perms::owner_all, error);
  if (error) return base::SystemError("mkdir", archive, error.value());
  return {};
}

base::Result<base::FileDescriptor> LockArchive(const std::string& archive) {
  base::FileDescriptor folder(open(archive.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return base::SystemError("open", archive, errno);
  if (flock(folder.get(), LOCK_EX | LOCK_NB) == 0) return folder;
  if (errno != EWOULDBLOCK) return base::FileDescriptor();
  struct stat status {};
  const auto holder =
      fstat(folder.get(), &status) == 0 ? record::FindLockHolder(status.st_dev, status.st_ino) : std::optional<pid_t>();
  return base::Refusal("ARCHIVE-BUSY-01",
                       fmt::format("{} is at work in the archive {}",
                                   holder ? fmt::format("process {}", *holder) : "another process", archive),
                       "one ceremony at a time: let that one end, and begin again");
}

}  // namespace ceremony::cli
