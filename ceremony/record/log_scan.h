// ScanLog reads a whole log once, on one thread or several: blocks are hashed
// and scanned in parallel, their outcome is handed to one sink in order. Memory
// is a few blocks, whatever the size of the log.
#ifndef CEREMONY_RECORD_LOG_SCAN_H_
#define CEREMONY_RECORD_LOG_SCAN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/entry.h"
#include "ceremony/record/log_reader.h"
#include "ceremony/record/scanner.h"
#include "ceremony/record/tree.h"

namespace ceremony::record {

// LineEvent is something that a sink must look at. A good line has no event, unless
// other entries depend on its type.
struct LineEvent {
  enum class Kind : std::uint8_t {
    kFault,       // `fault` at `offset`; the line has no other event
    kSequence,    // `number` is the line's seq, and not one more than that of the line before
    kMode,        // the mode is not that of the block's first line
    kClock,       // time or mono went back
    kIncomplete,  // `text` is the field of its type that is missing
    kIntent,      // `number` the call, `text` the raw fn, `token` the raw token, `line` the whole
    kDone,        // the same
    kWithheld,    // the leaf hash of an entry stands in its place
    kEntry,       // `line` is of a type that the sink reads itself: `type`
  };
  Kind kind = Kind::kFault;
  std::uint32_t index = 0;  // of the line in its block
  LineFault fault = LineFault::kNone;
  EntryType type = EntryType::kOpen;
  std::uint64_t number = 0;
  std::size_t offset = 0;  // byte in the line
  std::string_view line = {};
  std::string_view text = {};
  std::string_view token = {};
};

// ScannedBlock is a block of lines with what its scan found. Views in the
// events point into `block` or the strings of the program.
struct ScannedBlock {
  LogReader::Block block;
  std::vector<Hash> leaves;       // one a line
  std::vector<LineEvent> events;  // ascending by index
  // Of the first and the last good line, to compare with the neighbouring blocks.
  bool any_good = false;
  std::uint64_t first_base = 0;  // seq minus index: the seq of the block's first line, if all are good
  std::uint64_t last_base = 0;
  std::uint32_t first_good = 0;
  Mode first_mode = Mode::kRehearsal;
  std::string first_time, last_time;
  std::uint64_t first_mono = 0, last_mono = 0;
};

class BlockSink {
 public:
  virtual ~BlockSink() = default;
  // Take sees each block once, in order; never two at a time.
  virtual void Take(const ScannedBlock& block) = 0;
};

// ScanLog reads to the end; `threads` counts the calling one. kIo when the log
// could not be read.
base::Result<void> ScanLog(LogReader& reader, unsigned threads, BlockSink& sink);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_LOG_SCAN_H_
