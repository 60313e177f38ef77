#include "hsm/base/counted.h"

#include <doctest/doctest.h>

#include <cstdint>

TEST_CASE("one is one, and nothing or more are many") {
  CHECK(base::Counted(0, "key", "keys") == "0 keys");
  CHECK(base::Counted(std::uint64_t{1}, "key", "keys") == "1 key");
  CHECK(base::Counted(2, "key", "keys") == "2 keys");
  CHECK(base::Counted(std::int64_t{-1}, "hour", "hours") == "-1 hours");
}
