#include "ceremony/record/line_walk.h"

#include <fmt/format.h>

#include "ceremony/record/entry.h"
#include "ceremony/record/log_reader.h"

namespace ceremony::record {

base::Result<void> ForEachLine(const RecordFolder& folder, std::string_view file,
                               const std::function<base::Result<bool>(std::string_view)>& take) {
  KC_ASSIGN_OR_RETURN(base::FileDescriptor opened, folder.OpenFile(file));
  LogReader reader(std::move(opened));
  LogReader::Block block;
  std::uint64_t lines = 0;
  const auto oversize = [&] {
    return base::MakeError(base::ErrorCode::kCorrupt, fmt::format("{}/{}: line {} has more than {} bytes",
                                                                  folder.path(), file, lines + 1, kMaxLineBytes))
        .WithRule("REC-SIZE");
  };
  for (;;) {
    KC_ASSIGN_OR_RETURN(const bool more, reader.Next(block));
    if (!more) break;
    for (std::string_view rest(block.buffer.data(), block.size); !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(line.size() + 1);
      if (line.size() > kMaxLineBytes) return oversize();
      KC_ASSIGN_OR_RETURN(const bool goes_on, take(line));
      ++lines;
      if (!goes_on) return {};
    }
  }
  if (reader.oversize()) return oversize();
  return {};
}

}  // namespace ceremony::record
