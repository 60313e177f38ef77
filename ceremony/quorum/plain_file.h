// Small files of a custodian: read whole, written whole or not at all. They lie
// outside the archive, on sticks and on a custodian's own machine.
#ifndef CEREMONY_QUORUM_PLAIN_FILE_H_
#define CEREMONY_QUORUM_PLAIN_FILE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "hsm/base/result.h"

namespace ceremony::quorum {

// ReadPlainFile fails with kIo when it cannot be read or is larger than `limit` bytes.
base::Result<std::string> ReadPlainFile(const std::string& path, std::size_t limit);

// Replace says whether a file that is there may go.
enum class Replace : std::uint8_t { kNo, kYes };
// WritePlainFile leaves no file or the whole durable one (mode 0600). With kNo a
// file that is there is kRefused OUT-FILE-01.
base::Result<void> WritePlainFile(const std::string& path, std::string_view content, Replace replace);

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_PLAIN_FILE_H_
