// main of the tests that need SoftHSM: 77 says that it is not installed.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "tests/support/softhsm.h"

int main(int argc, char** argv) {
  if (support::SoftHsmPath().empty()) {
    std::fputs("skipped: SoftHSM is not installed (Debian package libsofthsm2)\n", stderr);
    return 77;
  }
  doctest::Context context(argc, argv);
  return context.run();
}
