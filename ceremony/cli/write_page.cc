#include "ceremony/cli/write_page.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace ceremony::cli {
namespace {

base::Error Failed(const char* call, const std::string& path) {
  base::Error error = base::SystemError(call, path, errno);
  error.code = base::ErrorCode::kIo;
  return error;
}

base::Result<void> WriteAll(int file, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failed("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fsync(file) != 0) return Failed("fsync", path);
  return {};
}

}  // namespace

base::Result<void> WritePage(const std::string& path, std::string_view page) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0644);
  if (file < 0 && errno == EEXIST) {
    return base::MakeError(base::ErrorCode::kInvalidInput, path + " is there already")
        .WithHint("documents are never overwritten: choose another name, or move the old one away");
  }
  if (file < 0) return Failed("open", path);
  base::Result<void> written = WriteAll(file, path, page);
  if (::close(file) != 0 && written.ok()) written = Failed("close", path);
  if (!written.ok()) ::unlink(path.c_str());  // half a document is worse than none
  return written;
}

}  // namespace ceremony::cli
