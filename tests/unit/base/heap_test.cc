#include "hsm/base/heap.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they bring a malloc of their own

TEST_CASE("what a program takes after it has asked for huge pages lies within one") {
  constexpr std::uintptr_t kHugePage = 2 << 20;
  base::GrowHeapByHugePages();
  const auto block = std::make_unique_for_overwrite<char[]>(kHugePage / 2);
  const auto first = reinterpret_cast<std::uintptr_t>(block.get());
  CHECK(first / kHugePage == (first + kHugePage / 2 - 1) / kHugePage);
  CHECK(first % kHugePage < kHugePage / 2);
}

#endif
