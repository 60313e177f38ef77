#include "ceremony/run/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace ceremony::run {

base::Result<void> MakePrivateFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return base::SystemError("mkdir", path, errno);
}

base::Result<void> WritePrivateFile(const std::string& path, base::ByteView content) {
  const std::string fresh = path + ".new";
  unlink(fresh.c_str());
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return base::SystemError("open", fresh, errno);
  const ssize_t wrote = write(fd, content.data(), content.size());
  const int write_error = wrote < 0 ? errno : ENOSPC;
  const bool synced = fdatasync(fd) == 0;
  const int sync_error = errno;
  close(fd);
  if (wrote != static_cast<ssize_t>(content.size())) return base::SystemError("write", fresh, write_error);
  if (!synced) return base::SystemError("fdatasync", fresh, sync_error);
  if (rename(fresh.c_str(), path.c_str()) != 0) return base::SystemError("rename", path, errno);
  return {};
}

}  // namespace ceremony::run
