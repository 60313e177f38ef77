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

base::Result<std::size_t> ReadSome(const base::FileDescriptor& file, const std::string& name,
                                   std::span<std::uint8_t> buffer) {
  const ssize_t count = file.ReadSome(buffer);
  if (count < 0) return base::SystemError("read", name, errno);
  return static_cast<std::size_t>(count);
}

// Standard input is not ours to close.
base::Result<base::FileDescriptor> StandardInput() {
  base::FileDescriptor input(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  if (!input.valid()) return base::SystemError("fcntl", "standard input", errno);
  return input;
}

base::Result<base::FileDescriptor> OpenRegular(const std::string& path) {
  // O_NONBLOCK: a named pipe must be refused, not waited for.
  base::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) return base::SystemError("open", path, errno);
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) return base::SystemError("fstat", path, errno);
  if (!S_ISREG(status.st_mode))
    return base::MakeError(base::ErrorCode::kInvalidInput, path + ": expected a regular file, found something else");
  return file;
}

// Standard input as a file without a name that can be read twice.
base::Result<base::FileDescriptor> Spool() {
  const char* named = std::getenv("TMPDIR");
  const std::string folder = named == nullptr || *named == '\0' ? "/tmp" : named;
  base::FileDescriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file.valid()) return base::SystemError("open", folder, errno);
  KC_ASSIGN_OR_RETURN(const base::FileDescriptor input, StandardInput());
  std::vector<std::uint8_t> buffer(std::size_t{64} << 10);
  while (true) {
    KC_ASSIGN_OR_RETURN(const std::size_t count, ReadSome(input, "standard input", buffer));
    if (count == 0) return file;
    KC_RETURN_IF_ERROR(file.WriteAll(base::ByteView(buffer).first(count), folder));
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

base::Result<void> BulkInputs::KeepStandardInput() {
  if (std::find(paths_.begin(), paths_.end(), "-") == paths_.end()) return {};
  KC_ASSIGN_OR_RETURN(spool_, Spool());
  return {};
}

base::Result<base::FileDescriptor> BulkInputs::Open(const std::string& path) const {
  if (path != "-") return OpenRegular(path);
  if (!spool_.valid()) return StandardInput();
  base::FileDescriptor again(::dup(spool_.get()));
  if (!again.valid() || ::lseek(again.get(), 0, SEEK_SET) < 0)
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
    BundleReader reader([&](std::span<std::uint8_t> buffer) { return ReadSome(*descriptor, name, buffer); });
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
