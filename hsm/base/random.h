// Random bytes of this machine (getrandom(2)): salts, origins, rehearsal PINs.
// Serial numbers and keys of a CA come from the token, never from here.
#ifndef HSM_BASE_RANDOM_H_
#define HSM_BASE_RANDOM_H_

#include <cstddef>
#include <span>
#include <string>

#include "hsm/base/bytes.h"

namespace base {

// FillRandom fills the span; it aborts if the kernel has no entropy source.
void FillRandom(std::span<std::uint8_t> out);

// RandomHex returns `bytes` random bytes as 2 * `bytes` lowercase digits.
std::string RandomHex(std::size_t bytes);

}  // namespace base

#endif  // HSM_BASE_RANDOM_H_
