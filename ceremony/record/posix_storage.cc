#include "ceremony/record/posix_storage.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "ceremony/record/lock_holder.h"
#include "ceremony/record/open_below.h"
#include "hsm/base/file.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::FileDescriptor;
using base::MakeError;
using base::Result;
using base::SystemError;

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

FileKind KindOf(const struct stat& status) {
  if (S_ISREG(status.st_mode)) return FileKind::kFile;
  return S_ISDIR(status.st_mode) ? FileKind::kFolder : FileKind::kOther;
}

FileInfo InfoOf(std::string name, const struct stat& status) {
  const FileKind kind = KindOf(status);
  return {std::move(name), kind, kind == FileKind::kFile ? static_cast<std::uint64_t>(status.st_size) : 0};
}

}  // namespace

struct PosixStorage::State {
  std::string root;
  FileDescriptor folder;
  std::optional<base::Error> failure;  // of the first write, sync or rename that failed

  std::string Shown(std::string_view path) const { return path.empty() ? root : fmt::format("{}/{}", root, path); }

  base::Error Fail(const char* call, std::string_view path, int error_number) {
    base::Error error = SystemError(call, Shown(path), error_number);
    error.code = ErrorCode::kIo;
    failure = error;
    return error;
  }

  Result<void> CheckSound() const {
    if (failure.has_value()) return *failure;
    return {};
  }

  // Opened component by component, so that what fails is the first that is no
  // folder: a symbolic link is none.
  Result<FileDescriptor> WalkTo(std::string_view path) const {
    FileDescriptor here;
    std::string_view rest = path;
    for (;;) {
      const std::size_t slash = rest.find('/');
      const std::string name(rest.substr(0, slash));
      FileDescriptor next(openat(here.valid() ? here.get() : folder.get(), name.c_str(), kFolderFlags));
      if (!next.valid()) {
        const int failed = errno;
        return SystemError("openat", Shown(path.substr(0, path.size() - rest.size() + name.size())), failed);
      }
      if (slash == std::string_view::npos) return next;
      here = std::move(next);
      rest.remove_prefix(slash + 1);
    }
  }

  Result<void> CheckPath(std::string_view path) const {
    if (IsPlainPath(path)) return {};
    return MakeError(ErrorCode::kInternal, fmt::format("\"{}\" is not a path of a storage", path));
  }

  // `path` is not empty, and has been checked.
  Result<FileDescriptor> FolderBelow(std::string_view path) const {
    FileDescriptor found = OpenBelow(folder.get(), std::string(path), kFolderFlags);
    if (found.valid()) return found;
    return WalkTo(path);
  }

  // The parent of a path, to which no symbolic link has led, and the last component.
  struct Place {
    FileDescriptor opened;  // the parent, unless it is the root
    int folder = -1;
    std::string name;
  };
  Result<Place> Locate(std::string_view path) const {
    KC_RETURN_IF_ERROR(CheckPath(path));
    const std::string_view parent = ParentOf(path);
    if (parent.empty()) return Place{FileDescriptor(), folder.get(), std::string(path)};
    KC_ASSIGN_OR_RETURN(FileDescriptor opened, FolderBelow(parent));
    const int fd = opened.get();
    return Place{std::move(opened), fd, std::string(path.substr(parent.size() + 1))};
  }

  Result<FileDescriptor> OpenFolder(std::string_view path) const {
    if (!path.empty()) {
      KC_RETURN_IF_ERROR(CheckPath(path));
      return FolderBelow(path);
    }
    FileDescriptor same(openat(folder.get(), ".", kFolderFlags));
    if (!same.valid()) return SystemError("openat", Shown(path), errno);
    return same;
  }

  Result<FileDescriptor> OpenFile(std::string_view path, int flags) const {
    KC_RETURN_IF_ERROR(CheckPath(path));
    // O_NONBLOCK: a fifo in the place of a file must not hang us.
    flags |= O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    FileDescriptor file = OpenBelow(folder.get(), std::string(path), flags);
    Place place;
    if (!file.valid()) {
      KC_ASSIGN_OR_RETURN(place, Locate(path));
      file = FileDescriptor(openat(place.folder, place.name.c_str(), flags, 0600));
    }
    if (!file.valid()) {
      if (errno == EEXIST) {
        return base::Refusal("RECORD-OUT-01", fmt::format("{} exists already", Shown(path)),
                             "nothing is ever overwritten: move it away or choose another name");
      }
      return SystemError("openat", Shown(path), errno);
    }
    struct stat status {};
    if (fstat(file.get(), &status) != 0) return SystemError("fstat", Shown(path), errno);
    if (!S_ISREG(status.st_mode))
      return MakeError(ErrorCode::kIo, fmt::format("{} is not a regular file", Shown(path)));
    return file;
  }

  Result<void> TakeLock(const FileDescriptor& file, std::string_view path) const {
    if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) return {};
    if (errno != EWOULDBLOCK) return SystemError("flock", Shown(path), errno);
    struct stat status {};
    std::optional<pid_t> holder;
    if (fstat(file.get(), &status) == 0) holder = FindLockHolder(status.st_dev, status.st_ino);
    const std::string who = holder.has_value() ? fmt::format("process {}", *holder) : "another process";
    return base::Refusal("RECORD-LOCK-01", fmt::format("{} is being written by {}", Shown(path), who),
                         "only one program may write a record: end that one first");
  }
};

namespace {

class PosixReadFile final : public ReadFile {
 public:
  PosixReadFile(FileDescriptor file, std::string shown) : file_(std::move(file)), shown_(std::move(shown)) {}

  Result<std::size_t> ReadAt(std::uint64_t offset, std::span<std::uint8_t> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t got = pread(file_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return SystemError("pread", shown_, errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

 private:
  FileDescriptor file_;
  std::string shown_;
};

}  // namespace

// Shares the state of the storage, so that one failed sync fails them all.
template <typename State>
class PosixAppendFile final : public AppendFile {
 public:
  PosixAppendFile(std::shared_ptr<State> state, FileDescriptor file, std::string path)
      : state_(std::move(state)), file_(std::move(file)), path_(std::move(path)) {}

  Result<void> Append(base::ByteView bytes) override {
    KC_RETURN_IF_ERROR(state_->CheckSound());
    const ssize_t put = write(file_.get(), bytes.data(), bytes.size());
    if (put < 0) return state_->Fail("write", path_, errno);
    if (static_cast<std::size_t>(put) == bytes.size()) return {};
    // Only the next byte tells why it was cut short: a full disk, or a file that may not grow (EFBIG).
    const ssize_t next = write(file_.get(), bytes.data() + put, 1);
    return state_->Fail("write", path_, next < 0 ? errno : ENOSPC);
  }

  Result<void> Sync() override {
    KC_RETURN_IF_ERROR(state_->CheckSound());
    if (fdatasync(file_.get()) != 0) return state_->Fail("fdatasync", path_, errno);
    return {};
  }

  Result<void> Truncate(std::uint64_t size) override {
    KC_RETURN_IF_ERROR(state_->CheckSound());
    if (ftruncate(file_.get(), static_cast<off_t>(size)) != 0) return state_->Fail("ftruncate", path_, errno);
    return {};
  }

 private:
  std::shared_ptr<State> state_;
  FileDescriptor file_;
  std::string path_;
};

PosixStorage::PosixStorage(std::shared_ptr<State> state) : state_(std::move(state)) {}
PosixStorage::~PosixStorage() = default;

Result<std::unique_ptr<PosixStorage>> PosixStorage::Open(const std::string& root) {
  // The root itself may be reached through links: the person chose it.
  FileDescriptor folder(open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return SystemError("open", root, errno);
  auto state = std::make_shared<State>();
  state->root = root.size() > 1 && root.back() == '/' ? root.substr(0, root.size() - 1) : root;
  state->folder = std::move(folder);
  return std::unique_ptr<PosixStorage>(new PosixStorage(std::move(state)));
}

Result<std::unique_ptr<AppendFile>> PosixStorage::CreateNew(std::string_view path, Lock lock) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  KC_ASSIGN_OR_RETURN(FileDescriptor file, state_->OpenFile(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL));
  if (lock == Lock::kExclusive) KC_RETURN_IF_ERROR(state_->TakeLock(file, path));
  return std::unique_ptr<AppendFile>(
      std::make_unique<PosixAppendFile<State>>(state_, std::move(file), std::string(path)));
}

Result<std::unique_ptr<AppendFile>> PosixStorage::OpenAppend(std::string_view path, Lock lock) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  KC_ASSIGN_OR_RETURN(FileDescriptor file, state_->OpenFile(path, O_WRONLY | O_APPEND));
  if (lock == Lock::kExclusive) KC_RETURN_IF_ERROR(state_->TakeLock(file, path));
  return std::unique_ptr<AppendFile>(
      std::make_unique<PosixAppendFile<State>>(state_, std::move(file), std::string(path)));
}

Result<std::unique_ptr<ReadFile>> PosixStorage::OpenRead(std::string_view path) {
  KC_ASSIGN_OR_RETURN(FileDescriptor file, state_->OpenFile(path, O_RDONLY));
  return std::unique_ptr<ReadFile>(std::make_unique<PosixReadFile>(std::move(file), state_->Shown(path)));
}

Result<void> PosixStorage::Rename(std::string_view from, std::string_view to) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  KC_ASSIGN_OR_RETURN(const State::Place source, state_->Locate(from));
  KC_ASSIGN_OR_RETURN(const State::Place target, state_->Locate(to));
  int failed = renameat2(source.folder, source.name.c_str(), target.folder, target.name.c_str(), RENAME_NOREPLACE);
  if (failed != 0 && (errno == EINVAL || errno == ENOSYS)) {
    // A file system without RENAME_NOREPLACE: a second name fails when it is taken.
    failed = linkat(source.folder, source.name.c_str(), target.folder, target.name.c_str(), 0);
    if (failed == 0) failed = unlinkat(source.folder, source.name.c_str(), 0);
  }
  if (failed == 0) return {};
  if (errno == EEXIST) {
    return base::Refusal("RECORD-OUT-01", fmt::format("{} exists already", state_->Shown(to)),
                         "nothing is ever overwritten: move it away or choose another name");
  }
  return state_->Fail("renameat2", to, errno);
}

Result<void> PosixStorage::Replace(std::string_view from, std::string_view to) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  KC_ASSIGN_OR_RETURN(const State::Place source, state_->Locate(from));
  KC_ASSIGN_OR_RETURN(const State::Place target, state_->Locate(to));
  if (renameat(source.folder, source.name.c_str(), target.folder, target.name.c_str()) != 0) {
    return state_->Fail("renameat", to, errno);
  }
  return {};
}

Result<void> PosixStorage::Remove(std::string_view path) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  KC_ASSIGN_OR_RETURN(const State::Place place, state_->Locate(path));
  if (unlinkat(place.folder, place.name.c_str(), 0) != 0) return SystemError("unlinkat", state_->Shown(path), errno);
  return {};
}

Result<void> PosixStorage::MakeFolder(std::string_view path) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  KC_ASSIGN_OR_RETURN(const State::Place place, state_->Locate(path));
  if (mkdirat(place.folder, place.name.c_str(), 0700) != 0) return SystemError("mkdirat", state_->Shown(path), errno);
  return {};
}

Result<void> PosixStorage::SyncFolder(std::string_view path) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  FileDescriptor opened;
  if (!path.empty()) {
    KC_ASSIGN_OR_RETURN(opened, state_->OpenFolder(path));
  }
  if (fsync(opened.valid() ? opened.get() : state_->folder.get()) != 0) return state_->Fail("fsync", path, errno);
  return {};
}

Result<std::vector<FileInfo>> PosixStorage::List(std::string_view path) {
  KC_ASSIGN_OR_RETURN(FileDescriptor folder, state_->OpenFolder(path));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(folder.get()), closedir);
  if (stream == nullptr) return SystemError("fdopendir", state_->Shown(path), errno);
  folder.Release();
  std::vector<FileInfo> files;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr && errno != 0) return SystemError("readdir", state_->Shown(path), errno);
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat status {};
    if (fstatat(dirfd(stream.get()), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return SystemError("fstatat", state_->Shown(JoinPath(path, name)), errno);
    }
    files.push_back(InfoOf(std::move(name), status));
  }
  std::ranges::sort(files, {}, &FileInfo::name);
  return files;
}

Result<std::optional<FileInfo>> PosixStorage::Find(std::string_view path) {
  auto place = state_->Locate(path);
  if (!place.ok()) {
    if (place.error().code == ErrorCode::kNotFound) return std::optional<FileInfo>{};
    return std::move(place).error();
  }
  struct stat status {};
  if (fstatat(place->folder, place->name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::optional<FileInfo>{};
    return SystemError("fstatat", state_->Shown(path), errno);
  }
  return std::optional<FileInfo>(InfoOf(place->name, status));
}

}  // namespace ceremony::record
