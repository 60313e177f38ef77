#include "ceremony/quorum/plain_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace ceremony::quorum {
namespace {

class Descriptor final {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

base::Result<void> WriteAll(int fd, const std::string& path, std::string_view content) {
  while (!content.empty()) {
    const ssize_t wrote = write(fd, content.data(), content.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return base::SystemError("write", path, wrote < 0 ? errno : ENOSPC);
    content.remove_prefix(static_cast<std::size_t>(wrote));
  }
  if (fdatasync(fd) != 0) return base::SystemError("fdatasync", path, errno);
  return {};
}

}  // namespace

base::Result<std::string> ReadPlainFile(const std::string& path, std::size_t limit) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return base::SystemError("open", path, errno);
  std::string content;
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::SystemError("read", path, errno);
    if (got == 0) return content;
    content.append(buffer, static_cast<std::size_t>(got));
    if (content.size() > limit)
      return base::MakeError(base::ErrorCode::kIo, fmt::format("{} is larger than {} bytes", path, limit));
  }
}

base::Result<void> WritePlainFile(const std::string& path, std::string_view content, Replace replace) {
  const std::string fresh = path + ".new";
  unlink(fresh.c_str());
  {
    const Descriptor file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0) return base::SystemError("open", fresh, errno);
    if (auto written = WriteAll(file.get(), fresh, content); !written.ok()) {
      unlink(fresh.c_str());
      return written;
    }
  }
  // Sticks are FAT: no hard links, and so no link(2) that fails when the name is taken.
  if (replace == Replace::kNo && access(path.c_str(), F_OK) == 0) {
    unlink(fresh.c_str());
    return base::Refusal("OUT-FILE-01", path + " exists already", "choose another name; nothing is ever overwritten");
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return base::SystemError("rename", path, errno);
  const Descriptor folder(open(FolderOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Not every file system of a stick can sync a folder (EINVAL); the file is synced.
  if (folder.get() < 0 || (fsync(folder.get()) != 0 && errno != EINVAL))
    return base::SystemError("fsync", FolderOf(path), errno);
  return {};
}

}  // namespace ceremony::quorum
