// Reading a record without trusting it: no path leaves the folder, no symbolic
// link is followed, nothing is mapped (a file that shrinks under a reader is a
// short read here, and a SIGBUS under mmap).
#ifndef CEREMONY_RECORD_READER_H_
#define CEREMONY_RECORD_READER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hsm/base/digest.h"
#include "hsm/base/file.h"
#include "hsm/base/result.h"

namespace ceremony::record {

struct FileDigest {
  base::Sha256Digest sha256{};
  std::uint64_t size = 0;  // bytes
};

// RecordFolder is an open folder that files are read from by relative path.
class RecordFolder final {
 public:
  // Open fails with kNotFound when there is no such folder, else kIo.
  static base::Result<RecordFolder> Open(const std::string& path);

  const std::string& path() const { return path_; }

  // OpenFile opens a regular file below the folder, by no symbolic link.
  // kNotFound when it is missing, kInvalidInput for a path that is absolute,
  // empty or has `.` or `..`, kRefused (rule ART-PATH) when a component is a
  // symbolic link or the file is not a regular one, kIo otherwise.
  base::Result<base::FileDescriptor> OpenFile(std::string_view relative) const;

  // ReadSmall returns a whole file of at most `limit` bytes (kInvalidInput beyond).
  base::Result<std::string> ReadSmall(std::string_view relative, std::size_t limit) const;

  // Digest reads a file of any size in blocks.
  base::Result<FileDigest> Digest(std::string_view relative) const;

  struct Listing {
    std::vector<std::string> files;    // regular files, relative paths, ascending bytes
    std::vector<std::string> strange;  // symbolic links, devices, sockets, folders below the 16th level
  };
  static constexpr std::size_t kMaxNames = 1'000'000;
  // List walks the folder; kInvalidInput where it holds more names, kIo for what cannot be read.
  base::Result<Listing> List(std::size_t max_names = kMaxNames) const;

  // Folders returns the names of the folders directly inside, ascending bytes; kIo when one cannot be read.
  base::Result<std::vector<std::string>> Folders() const;

 private:
  RecordFolder(std::string path, base::FileDescriptor fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;
  base::FileDescriptor fd_;
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_READER_H_
