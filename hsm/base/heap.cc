#include "hsm/base/heap.h"

#include <malloc.h>
#include <unistd.h>

#include <cstdint>

namespace base {

void GrowHeapByHugePages() {
  constexpr int kHugePage = 2 << 20;
  // More than one: the page must lie within what malloc asks for at once.
  mallopt(M_TOP_PAD, 2 * kHugePage);
  mallopt(M_MMAP_THRESHOLD, kHugePage);
  // Malloc finds that somebody else has moved the break, and begins anew behind it.
  const auto end = reinterpret_cast<std::uintptr_t>(sbrk(0));
  sbrk(static_cast<std::intptr_t>((kHugePage - end % kHugePage) % kHugePage));
}

}  // namespace base
