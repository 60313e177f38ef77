// Storage is everything a record needs from a file system, in small steps whose
// order makes it safe. At each virtual call the power can fail, the disk can be full,
// or the process can die.
//
// Paths are relative to the storage's root, components joined by `/`, no `.`
// or `..`; no call follows a symbolic link. Errors are kIo with the system
// call in `call`, kNotFound when the object is not there. Nothing is retried:
// after a failed write, sync or rename, every later changing call of a real storage
// fails with that same error. (A second fsync would report as durable what the kernel
// dropped when the first one failed.)
//
// One thread at a time.
#ifndef CEREMONY_RECORD_STORAGE_H_
#define CEREMONY_RECORD_STORAGE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::record {

// AppendFile is open for writing at its end. Destroying it closes the file and
// gives up its lock.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  // Append is one write(2) of all the bytes; a short write is an error.
  virtual base::Result<void> Append(base::ByteView bytes) = 0;
  // Sync makes content and size durable (fdatasync).
  virtual base::Result<void> Sync() = 0;
  // Truncate cuts the file to `size` bytes (recovery only); Sync makes it durable.
  virtual base::Result<void> Truncate(std::uint64_t size) = 0;
};

class ReadFile {
 public:
  virtual ~ReadFile() = default;
  // ReadAt fills the span from the offset on and returns how many bytes it
  // got: fewer only at the end of the file.
  virtual base::Result<std::size_t> ReadAt(std::uint64_t offset, std::span<std::uint8_t> out) = 0;
};

enum class FileKind : std::uint8_t { kFile, kFolder, kOther };  // kOther: symbolic link, device, socket

struct FileInfo {
  std::string name;  // last component
  FileKind kind = FileKind::kOther;
  std::uint64_t size = 0;  // bytes; 0 unless kFile
};

class Storage {
 public:
  // kExclusive takes the lock of the file (flock); when another process has it,
  // the call fails with the refusal RECORD-LOCK-01 that names its pid.
  enum class Lock : std::uint8_t { kNone, kExclusive };

  virtual ~Storage() = default;
  // CreateNew makes a file that must not exist (mode 0600). The name is
  // durable only after SyncFolder.
  virtual base::Result<std::unique_ptr<AppendFile>> CreateNew(std::string_view path, Lock lock) = 0;
  // OpenAppend opens a file that must exist.
  virtual base::Result<std::unique_ptr<AppendFile>> OpenAppend(std::string_view path, Lock lock) = 0;
  virtual base::Result<std::unique_ptr<ReadFile>> OpenRead(std::string_view path) = 0;
  // Rename fails with the refusal RECORD-OUT-01 when `to` exists.
  virtual base::Result<void> Rename(std::string_view from, std::string_view to) = 0;
  // Replace is rename(2): `to` is the old file or the new one, never neither.
  virtual base::Result<void> Replace(std::string_view from, std::string_view to) = 0;
  virtual base::Result<void> Remove(std::string_view path) = 0;
  // MakeFolder makes one folder (mode 0700); its parent must exist, and it must not.
  virtual base::Result<void> MakeFolder(std::string_view path) = 0;
  // SyncFolder makes the names in a folder durable; "" is the root.
  virtual base::Result<void> SyncFolder(std::string_view path) = 0;
  // List returns what is in a folder, sorted by name.
  virtual base::Result<std::vector<FileInfo>> List(std::string_view path) = 0;
  // Find returns nothing when there is no such file; symbolic links are kOther.
  virtual base::Result<std::optional<FileInfo>> Find(std::string_view path) = 0;
};

// WriteNewFile makes a new file with this content and syncs it: CreateNew,
// Append, Sync. The name is not durable yet.
base::Result<void> WriteNewFile(Storage& storage, std::string_view path, base::ByteView content);

// PublishNewFile leaves either no file or the whole durable file at `path`:
// `<path>.partial` written and synced, renamed (RECORD-OUT-01 when `path`
// exists), folder synced. A `.partial` left by a crash is taken away first.
base::Result<void> PublishNewFile(Storage& storage, std::string_view path, base::ByteView content);

// ReplaceFile leaves either the old file or the whole new one, durably.
base::Result<void> ReplaceFile(Storage& storage, std::string_view path, base::ByteView content);

// ReadWholeFile reads a small file; kIo when it is larger than `limit` bytes.
base::Result<base::Bytes> ReadWholeFile(Storage& storage, std::string_view path, std::uint64_t limit);

// DigestFile returns the SHA-256 of a file of any size in 64 hex digits.
base::Result<std::string> DigestFile(Storage& storage, std::string_view path);

// JoinPath and ParentOf take paths as Storage does ("" is the root).
std::string JoinPath(std::string_view folder, std::string_view name);
std::string_view ParentOf(std::string_view path);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_STORAGE_H_
