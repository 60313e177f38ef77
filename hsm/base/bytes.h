// Byte spans and buffers as every other header names them.
#ifndef HSM_BASE_BYTES_H_
#define HSM_BASE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace base {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// AsBytes views the characters of a string as bytes; it does not copy.
inline ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// AsText views bytes as characters; it does not copy and checks nothing.
inline std::string_view AsText(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// ToBytes copies.
inline Bytes ToBytes(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace base

#endif  // HSM_BASE_BYTES_H_
