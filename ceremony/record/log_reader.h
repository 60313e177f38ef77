// Reading a log without trusting it: a log of any size, with lines of any length,
// needs the same few megabytes.
#ifndef CEREMONY_RECORD_LOG_READER_H_
#define CEREMONY_RECORD_LOG_READER_H_

#include <cstdint>
#include <vector>

#include "hsm/base/file.h"
#include "hsm/base/result.h"

namespace ceremony::record {

// LogReader cuts a log into blocks of whole lines, in order.
class LogReader final {
 public:
  static constexpr std::size_t kBlockBytes = 1u << 18;

  struct Block {
    std::vector<char> buffer;  // reused between blocks; lines, each with its LF
    std::size_t size = 0;      // bytes of whole lines
    std::uint64_t number = 0;  // counts blocks from 0
    std::uint64_t offset = 0;  // of the first byte in the file
  };

  explicit LogReader(base::FileDescriptor file) : file_(std::move(file)) {}

  // Next fills the block with one line or more; false at the end. It stops
  // early, with `oversize` set, at a line beyond kMaxLineBytes. kIo on a read error.
  base::Result<bool> Next(Block& block);

  // What stands after the last LF, once Next has returned false.
  std::uint64_t torn_bytes() const { return torn_bytes_; }
  bool oversize() const { return oversize_; }

 private:
  base::FileDescriptor file_;
  std::vector<char> carry_;  // the beginning of a line whose LF is in the next block
  std::uint64_t offset_ = 0;
  std::uint64_t blocks_ = 0;
  std::uint64_t torn_bytes_ = 0;
  bool oversize_ = false;
  bool ended_ = false;
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_LOG_READER_H_
