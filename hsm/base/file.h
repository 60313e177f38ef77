// Files of the operating system: a descriptor with an owner, and files that are
// read whole, and written whole or not at all.
//
// What lies below a record's or an archive's folder goes through
// record::Storage instead, which follows no link and can be made to fail.
#ifndef HSM_BASE_FILE_H_
#define HSM_BASE_FILE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace base {

// FileDescriptor owns what open(2) gave, and closes it.
class FileDescriptor final {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}  // takes it over; a negative one is none
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.Release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;  // one owner closes
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  // Release gives it to the caller, who closes it.
  int Release() noexcept { return std::exchange(fd_, -1); }

  // ReadSome is read(2), again when a signal cut it short: the bytes that came,
  // 0 at the end, -1 with errno.
  ssize_t ReadSome(std::span<std::uint8_t> out) const;
  // WriteAll writes every byte, in as many calls as that takes. kIo; `name` is for the message.
  Result<void> WriteAll(ByteView bytes, const std::string& name) const;

 private:
  int fd_ = -1;
};

// ReadFile fails with kNotFound, kIo, and kInvalidInput when there are more
// than `limit` bytes. It reads a pipe (`<(gpg -d ...)`) to its end.
Result<std::string> ReadFile(const std::string& path, std::size_t limit);

struct WriteOptions {
  // Whether a regular file that is there may go. What may not is kRefused OUT-FILE-01.
  bool replace = false;
  unsigned mode = 0600;
  // Whether its name must be durable, too, when WriteFile returns.
  bool sync_folder = true;
};

inline constexpr WriteOptions kForEveryone{.mode = 0644};  // a document: for others to read, too

// WriteFile leaves the file as it was, or the whole new one on the disk: `path`
// with ".keyceremony-new" behind it is written, synced and renamed. Works on the
// FAT of a stick. kIo.
Result<void> WriteFile(const std::string& path, std::string_view content, const WriteOptions& options = {});

}  // namespace base

#endif  // HSM_BASE_FILE_H_
