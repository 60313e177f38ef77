#include "ceremony/record/reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "ceremony/record/open_below.h"

namespace ceremony::record {
namespace {

using base::Error;
using base::ErrorCode;
using base::FileDescriptor;
using base::MakeError;
using base::Result;

constexpr int kMaxLevels = 16;
// On the stack, where a file of a few bytes touches one page of it: a record has dozens of them.
constexpr std::size_t kReadAtOnce = 65536;

Error SystemError(const char* call, const std::string& what, int number) {
  Error error =
      MakeError(number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, what + ": " + std::strerror(number));
  error.call = call;
  return error;
}

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};
using FolderStream = std::unique_ptr<DIR, CloseFolder>;

// O_NONBLOCK: a FIFO in a record must not stop the reader at open.
constexpr int kReadFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

Result<FileDescriptor> OpenComponent(int folder, const std::string& name, int flags, const std::string& path) {
  FileDescriptor found(openat(folder, name.c_str(), flags | kReadFlags));
  if (found.valid()) return found;
  if (errno == ELOOP || errno == ENOTDIR || errno == ENXIO) {
    return base::Refusal("ART-PATH", path + " leads through a symbolic link or something that is not a file");
  }
  return SystemError("openat", "cannot open " + path, errno);
}

Result<FileDescriptor> OpenByComponents(int root, const std::string& path) {
  FileDescriptor holder;
  int folder = root;
  std::string_view rest = path;
  for (;;) {
    const std::size_t slash = rest.find('/');
    const std::string name(rest.substr(0, slash));
    if (slash == std::string_view::npos) return OpenComponent(folder, name, 0, path);
    KC_ASSIGN_OR_RETURN(FileDescriptor inner, OpenComponent(folder, name, O_DIRECTORY, path));
    holder = std::move(inner);
    folder = holder.get();
    rest.remove_prefix(slash + 1);
  }
}

// The names in the open folder, from the first.
Result<FolderStream> OpenStream(int folder, const std::string& name) {
  FileDescriptor again(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!again.valid()) return SystemError("openat", "cannot open folder " + name, errno);
  FolderStream stream(fdopendir(again.get()));
  if (!stream) return SystemError("fdopendir", "cannot read folder " + name, errno);
  again.Release();  // closedir closes it
  return stream;
}

// The next name in a folder, nothing at its end.
Result<std::optional<std::string>> NextName(DIR* stream, const std::string& folder) {
  for (;;) {
    errno = 0;  // readdir says by errno alone whether it came to the end
    const dirent* const entry = readdir(stream);
    if (entry == nullptr && errno != 0) return SystemError("readdir", "cannot read folder " + folder, errno);
    if (entry == nullptr) return std::optional<std::string>();
    const std::string name = entry->d_name;
    if (name != "." && name != "..") return std::optional(name);
  }
}

// What a name is, by no symbolic link. One that is gone again is an error, too: the folder is being changed.
Result<mode_t> KindOf(DIR* stream, const std::string& name, const std::string& path) {
  struct stat status {};
  if (fstatat(dirfd(stream), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status.st_mode;
  Error error = SystemError("fstatat", "cannot examine " + path, errno);
  error.code = ErrorCode::kIo;
  return error;
}

Result<void> Walk(int folder, const std::string& prefix, int level, std::size_t max_names,
                  RecordFolder::Listing& listing) {
  KC_ASSIGN_OR_RETURN(const FolderStream stream, OpenStream(folder, prefix));
  for (;;) {
    KC_ASSIGN_OR_RETURN(const std::optional<std::string> name, NextName(stream.get(), prefix));
    if (!name) return {};
    if (listing.files.size() + listing.strange.size() >= max_names) {
      return MakeError(ErrorCode::kInvalidInput, fmt::format("the folder holds more than {} names", max_names));
    }
    const std::string path = prefix + *name;
    KC_ASSIGN_OR_RETURN(const mode_t kind, KindOf(stream.get(), *name, path));
    if (S_ISREG(kind)) {
      listing.files.push_back(path);
    } else if (S_ISDIR(kind) && level < kMaxLevels) {
      const Result<FileDescriptor> inner = OpenComponent(dirfd(stream.get()), *name, O_DIRECTORY, path);
      if (!inner.ok() && inner.error().code != ErrorCode::kRefused) return inner.error();
      if (inner.ok()) {
        KC_RETURN_IF_ERROR(Walk(inner->get(), path + "/", level + 1, max_names, listing));
      } else {
        listing.strange.push_back(path);
      }
    } else {
      listing.strange.push_back(path);
    }
  }
}

}  // namespace

Result<RecordFolder> RecordFolder::Open(const std::string& path) {
  FileDescriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return SystemError("open", "cannot open folder " + path, errno);
  return RecordFolder(path, std::move(folder));
}

Result<FileDescriptor> RecordFolder::OpenFile(std::string_view relative) const {
  const std::string path(relative);
  if (!IsPlainPath(relative)) {
    return MakeError(ErrorCode::kInvalidInput, "\"" + path + "\" is not a relative path of plain names");
  }
  FileDescriptor file = OpenBelow(fd_.get(), path, kReadFlags);
  if (!file.valid()) {
    KC_ASSIGN_OR_RETURN(file, OpenByComponents(fd_.get(), path));
  }
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return SystemError("fstat", "cannot examine " + path, errno);
  if (!S_ISREG(status.st_mode)) return base::Refusal("ART-PATH", path + " is not a regular file");
  return file;
}

Result<std::string> RecordFolder::ReadSmall(std::string_view relative, std::size_t limit) const {
  KC_ASSIGN_OR_RETURN(const FileDescriptor file, OpenFile(relative));
  std::string content;
  std::array<std::uint8_t, kReadAtOnce> block;
  for (;;) {
    const ssize_t count = file.ReadSome(block);
    if (count < 0) return SystemError("read", "cannot read " + std::string(relative), errno);
    if (count == 0) return content;
    content += base::AsText(base::ByteView(block).first(static_cast<std::size_t>(count)));
    if (content.size() > limit) {
      return MakeError(ErrorCode::kInvalidInput,
                       std::string(relative) + " is larger than the " + std::to_string(limit) + " bytes it may have");
    }
  }
}

Result<FileDigest> RecordFolder::Digest(std::string_view relative) const {
  KC_ASSIGN_OR_RETURN(const FileDescriptor file, OpenFile(relative));
  FileDigest digest;
  base::Sha256Stream stream;
  std::array<std::uint8_t, kReadAtOnce> block;
  for (;;) {
    const ssize_t count = file.ReadSome(block);
    if (count < 0) return SystemError("read", "cannot read " + std::string(relative), errno);
    if (count == 0) break;
    const auto part = base::ByteView(block).first(static_cast<std::size_t>(count));
    stream.Update(part);
    digest.size += part.size();
  }
  digest.sha256 = stream.Finish();
  return digest;
}

Result<RecordFolder::Listing> RecordFolder::List(std::size_t max_names) const {
  Listing listing;
  KC_RETURN_IF_ERROR(Walk(fd_.get(), "", 1, max_names, listing));
  std::sort(listing.files.begin(), listing.files.end());
  std::sort(listing.strange.begin(), listing.strange.end());
  return listing;
}

Result<std::vector<std::string>> RecordFolder::Folders() const {
  KC_ASSIGN_OR_RETURN(const FolderStream stream, OpenStream(fd_.get(), path_));
  std::vector<std::string> names;
  for (;;) {
    KC_ASSIGN_OR_RETURN(const std::optional<std::string> name, NextName(stream.get(), path_));
    if (!name) break;
    KC_ASSIGN_OR_RETURN(const mode_t kind, KindOf(stream.get(), *name, *name));
    if (S_ISDIR(kind)) names.push_back(*name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace ceremony::record
