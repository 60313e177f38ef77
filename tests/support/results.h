// Short ways to look at results in tests.
#ifndef TESTS_SUPPORT_RESULTS_H_
#define TESTS_SUPPORT_RESULTS_H_

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "hsm/base/result.h"

namespace support {

// Good returns the value of a result that must be one; the test case ends with
// the error's message otherwise.
template <typename T>
T Good(base::Result<T> result) {
  REQUIRE_MESSAGE(result.ok(), result.error().message);
  return std::move(result).value();
}
inline void Good(base::Result<void> result) { REQUIRE_MESSAGE(result.ok(), result.error().message); }

// Bad returns the error of a result that must be one.
template <typename T>
base::Error Bad(base::Result<T> result) {
  REQUIRE_FALSE(result.ok());
  return std::move(result).error();
}

}  // namespace support

#endif  // TESTS_SUPPORT_RESULTS_H_
