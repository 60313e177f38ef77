#include "ceremony/x509/bulk_inputs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "ceremony/x509/bulk_lint.h"

namespace ceremony::x509 {
namespace {

namespace fs = std::filesystem;

base::Result<std::size_t> ReadSome(int fd, const std::string& path, std::span<std::uint8_t> buffer) {
  while (true) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return base::SystemError("read", path, errno);
  }
}

base::Result<Descriptor> OpenRegular(const std::string& path) {
  // O_NONBLOCK: a named pipe must be refused, not waited for.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.fd() < 0) return base::SystemError("open", path, errno);
  struct stat status = {};
  if (::fstat(file.fd(), &status) != 0) return base::SystemError("fstat", path, errno);
  if (!S_ISREG(status.st_mode))
    return base::MakeError(base::ErrorCode::kInvalidInput, path + ": expected a regular file, found something else");
  return file;
}

// Standard input as a file without a name that can be read twice.
base::Result<Descriptor> Spool() {
  const char* named = std::getenv("TMPDIR");
  const std::string folder = named == nullptr || *named == '\0' ? "/tmp" : named;
  Descriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.fd() < 0) return base::SystemError("open", folder, errno);
  std::vector<std::uint8_t> buffer(std::size_t{64} << 10);
  while (true) {
    KC_ASSIGN_OR_RETURN(const std::size_t count, ReadSome(STDIN_FILENO, "standard input", buffer));
    if (count == 0) return file;
    for (std::size_t done = 0; done < count;) {
      const ssize_t written = ::write(file.fd(), buffer.data() + done, count - done);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return base::SystemError("write", folder, errno);
      done += static_cast<std::size_t>(written);
    }
  }
}

void ListInto(const fs::path& folder, std::vector<std::string>& files) {
  std::error_code code;
  std::vector<fs::directory_entry> entries;
  for (fs::directory_iterator at(folder, code); !code && at != fs::directory_iterator(); at.increment(code))
    entries.push_back(*at);
  if (code) {
    files.push_back(folder.string());
    return;
  }
  std::sort(entries.begin(), entries.end(),
            [](const fs::directory_entry& a, const fs::directory_entry& b) { return a.path() < b.path(); });
  for (const fs::directory_entry& entry : entries) {
    if (entry.is_symlink(code) && entry.is_directory(code)) continue;
    if (entry.is_directory(code)) {
      ListInto(entry.path(), files);
    } else {
      files.push_back(entry.path().string());
    }
  }
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ > STDIN_FILENO) ::close(fd_);
}

base::Result<void> BulkInputs::Prepare(bool twice) {
  if (!twice || std::find(paths_.begin(), paths_.end(), "-") == paths_.end()) return {};
  KC_ASSIGN_OR_RETURN(spool_, Spool());
  return {};
}

base::Result<Descriptor> BulkInputs::Open(const std::string& path) const {
  if (path != "-") return OpenRegular(path);
  if (spool_.fd() < 0) return Descriptor(STDIN_FILENO);
  Descriptor again(::dup(spool_.fd()));
  if (again.fd() < 0 || ::lseek(again.fd(), 0, SEEK_SET) < 0)
    return base::SystemError("lseek", "standard input", errno);
  return again;
}

void BulkInputs::ForEachItem(const std::function<bool(std::uint32_t, BundleItem)>& take,
                             const std::function<void(std::uint32_t, const base::Error&)>& unreadable) const {
  for (std::uint32_t file = 0; file < paths_.size(); ++file) {
    const std::string& path = paths_[file];
    const std::string name = path == "-" ? "standard input" : path;
    const auto descriptor = Open(path);
    if (!descriptor) {
      unreadable(file, descriptor.error());
      continue;
    }
    const int fd = descriptor->fd();
    BundleReader reader([&](std::span<std::uint8_t> buffer) { return ReadSome(fd, name, buffer); });
    while (true) {
      auto item = reader.Next();
      if (!item) {
        unreadable(file, item.error());
        break;
      }
      if (!item->has_value()) break;
      if (!take(file, *std::move(item).value())) return;
    }
  }
}

std::vector<std::string> ListFiles(const std::vector<std::string>& arguments) {
  std::vector<std::string> files;
  for (const std::string& argument : arguments) {
    std::error_code code;
    if (argument != "-" && fs::is_directory(argument, code)) {
      ListInto(argument, files);
    } else {
      files.push_back(argument);
    }
  }
  return files;
}

}  // namespace ceremony::x509
