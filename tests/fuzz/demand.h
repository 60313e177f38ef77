// What fuzz targets demand of what they call.
#ifndef TESTS_FUZZ_DEMAND_H_
#define TESTS_FUZZ_DEMAND_H_

#include <cstdio>
#include <cstdlib>
#include <span>

#include "ceremony/x509/finding.h"

namespace fuzz {

// Demand ends the process, as a fuzzer wants it, when something does not hold.
inline void Demand(bool holds, int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "what line %d demands does not hold\n", line);
  std::abort();
}

// CheckOffsets demands that every finding lies within the input and says something.
inline void CheckOffsets(std::span<const ceremony::x509::Finding> findings, std::size_t size) {
  for (const ceremony::x509::Finding& finding : findings) {
    Demand(finding.offset <= size);
    Demand(!finding.Text().empty());
  }
}

}  // namespace fuzz

#endif  // TESTS_FUZZ_DEMAND_H_
