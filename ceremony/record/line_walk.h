// ForEachLine reads a file of a record line by line, in a few megabytes whatever
// its size.
#ifndef CEREMONY_RECORD_LINE_WALK_H_
#define CEREMONY_RECORD_LINE_WALK_H_

#include <functional>
#include <string_view>

#include "ceremony/record/reader.h"

namespace ceremony::record {

// `take` gets each whole line without its LF, and returns whether it wants the next one.
// Bytes after the last LF are not a line. kCorrupt (REC-SIZE) at a line beyond 65535 bytes.
base::Result<void> ForEachLine(const RecordFolder& folder, std::string_view file,
                               const std::function<base::Result<bool>(std::string_view)>& take);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_LINE_WALK_H_
