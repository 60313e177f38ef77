// The archive in an annex: POSIX ustar (IEEE Std 1003.1-2017, pax, "ustar
// Interchange Format"), regular files only, so that `tar` unpacks it in 25 years.
#ifndef CEREMONY_RECORD_TAR_ARCHIVE_H_
#define CEREMONY_RECORD_TAR_ARCHIVE_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::record {

// An annex is sealed in memory.
inline constexpr std::size_t kMaxArchiveBytes = 1u << 30;

class TarWriter final {
 public:
  // Add appends a file; kUnsupported when its name has no room in a header
  // (100 bytes, or 255 with a slash at the right place) or the archive grows
  // beyond kMaxArchiveBytes.
  base::Result<void> Add(std::string_view path, base::ByteView content);
  base::Bytes Finish() &&;

 private:
  base::Bytes bytes_;
};

// ReadTar accepts exactly what TarWriter writes: regular files with safe relative
// paths, none twice; kCorrupt otherwise. Views point into `archive`.
base::Result<std::map<std::string, base::ByteView>> ReadTar(base::ByteView archive);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_TAR_ARCHIVE_H_
