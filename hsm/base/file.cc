#include "hsm/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace base {
namespace {

constexpr const char* kFresh = ".keyceremony-new";

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Error WriteError(const char* call, const std::string& name, int error_number) {
  Error error = SystemError(call, name, error_number);
  error.code = ErrorCode::kIo;
  return error;
}

// Errors name `path`, which the caller knows; `fresh` is where it is written first.
Result<void> WriteDurably(const std::string& fresh, const std::string& path, std::string_view content, unsigned mode) {
  const FileDescriptor file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file.valid()) return WriteError("open", path, errno);
  KC_RETURN_IF_ERROR(file.WriteAll(AsBytes(content), path));
  if (fdatasync(file.get()) != 0) return WriteError("fdatasync", path, errno);
  return {};
}

Error Exists(const std::string& path) {
  return Refusal("OUT-FILE-01", path + " exists already",
                 "nothing is ever overwritten: choose another name, or move the old one away");
}

// A device (/dev/null) or a link (/dev/stdout) never makes room for a file.
Result<void> CheckFree(const std::string& path, bool replace) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return {};
  if (!replace) return Exists(path);
  if (S_ISREG(status.st_mode)) return {};
  return Refusal("OUT-FILE-01", path + " is no regular file", "only a file is ever replaced: choose another name");
}

// Gives `from` the name `to`; without `replace`, unless there is such a file.
Result<void> Rename(const std::string& from, const std::string& to, bool replace) {
  int failed = renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), replace ? 0 : RENAME_NOREPLACE);
  // A file system that cannot promise it: that we have looked is the best there is.
  if (failed != 0 && errno == EINVAL) failed = std::rename(from.c_str(), to.c_str());
  if (failed == 0) return {};
  return errno == EEXIST ? Exists(to) : WriteError("rename", to, errno);
}

Result<void> SyncFolder(const std::string& path) {
  const FileDescriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return WriteError("open", path, errno);
  // Not every file system of a stick can sync a folder (EINVAL); the file is synced.
  if (fsync(folder.get()) != 0 && errno != EINVAL) return WriteError("fsync", path, errno);
  return {};
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (valid()) close(fd_);
}

ssize_t FileDescriptor::ReadSome(std::span<std::uint8_t> out) const {
  for (;;) {
    const ssize_t got = read(fd_, out.data(), out.size());
    if (got >= 0 || errno != EINTR) return got;
  }
}

Result<void> FileDescriptor::WriteAll(ByteView bytes, const std::string& name) const {
  while (!bytes.empty()) {
    const ssize_t put = write(fd_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return WriteError("write", name, put < 0 ? errno : ENOSPC);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

Result<std::string> ReadFile(const std::string& path, std::size_t limit) {
  // A pipe that somebody writes to is read to its end; O_NONBLOCK: one that nobody writes to is not waited for.
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) return SystemError("open", path, errno);
  if (fcntl(file.get(), F_SETFL, 0) != 0) return SystemError("fcntl", path, errno);
  std::string content;
  std::array<std::uint8_t, 16384> block;
  for (;;) {
    const ssize_t got = file.ReadSome(block);
    if (got < 0) return SystemError("read", path, errno);
    if (got == 0) return content;
    content += AsText(ByteView(block).first(static_cast<std::size_t>(got)));
    if (content.size() > limit)
      return MakeError(ErrorCode::kInvalidInput, fmt::format("{} is larger than {} bytes", path, limit));
  }
}

Result<void> WriteFile(const std::string& path, std::string_view content, const WriteOptions& options) {
  KC_RETURN_IF_ERROR(CheckFree(path, options.replace));
  const std::string fresh = path + kFresh;
  unlink(fresh.c_str());  // of a run that was cut off
  Result<void> written = WriteDurably(fresh, path, content, options.mode);
  if (written.ok()) written = Rename(fresh, path, options.replace);
  if (!written.ok()) {
    unlink(fresh.c_str());
    return written;
  }
  return options.sync_folder ? SyncFolder(FolderOf(path)) : Result<void>();
}

}  // namespace base
