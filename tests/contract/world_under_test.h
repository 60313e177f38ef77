// NewWorld is the make of token that this run of the test program is about.
#ifndef TESTS_CONTRACT_WORLD_UNDER_TEST_H_
#define TESTS_CONTRACT_WORLD_UNDER_TEST_H_

#include <memory>
#include <vector>

#include "tests/support/token_world.h"

namespace contract {

// The make was named on the command line: token_contract --make=softhsm.
std::unique_ptr<support::TokenWorld> NewWorld();

// NewPeers makes a world of each other make that can be in one process with it, for copies
// between two tokens. The run on the fake has only another fake, so that it needs nothing installed.
std::vector<std::unique_ptr<support::TokenWorld>> NewPeers();

}  // namespace contract

#endif  // TESTS_CONTRACT_WORLD_UNDER_TEST_H_
