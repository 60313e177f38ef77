#include "ceremony/record/log_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ceremony/record/entry.h"

namespace ceremony::record {

base::Result<bool> LogReader::Next(Block& block) {
  if (ended_) return false;
  // Room for the longest line that may be carried over, so that a block of one
  // read holds a whole line or proves that the line is too long.
  constexpr std::size_t kCapacity = kBlockBytes + kMaxLineBytes + 1;
  if (block.buffer.size() < kCapacity) block.buffer.resize(kCapacity);
  std::ranges::copy(carry_, block.buffer.begin());
  std::size_t filled = carry_.size();
  while (filled < kBlockBytes) {
    auto* const room = reinterpret_cast<std::uint8_t*>(block.buffer.data() + filled);
    const ssize_t count = file_.ReadSome({room, kBlockBytes - filled});
    if (count < 0) {
      base::Error error =
          base::MakeError(base::ErrorCode::kIo, std::string("cannot read the log: ") + std::strerror(errno));
      error.call = "read";
      return error;
    }
    if (count == 0) {
      ended_ = true;
      break;
    }
    filled += static_cast<std::size_t>(count);
  }

  const void* const last = memrchr(block.buffer.data(), '\n', filled);
  block.size = last == nullptr ? 0 : static_cast<std::size_t>(static_cast<const char*>(last) - block.buffer.data()) + 1;
  carry_.assign(block.buffer.data() + block.size, block.buffer.data() + filled);
  if (carry_.size() > kMaxLineBytes) {
    oversize_ = true;
    ended_ = true;
  } else if (ended_) {
    torn_bytes_ = carry_.size();
  }
  if (block.size == 0) {
    ended_ = true;
    return false;
  }
  block.number = blocks_++;
  block.offset = offset_;
  offset_ += block.size;
  return true;
}

}  // namespace ceremony::record
