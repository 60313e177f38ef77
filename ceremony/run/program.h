// What program this is, for the record: name, version and its own digest.
#ifndef CEREMONY_RUN_PROGRAM_H_
#define CEREMONY_RUN_PROGRAM_H_

#include <future>
#include <nlohmann/json_fwd.hpp>

#include "hsm/base/result.h"

namespace ceremony::run {

// DescribeProgram returns {"name", "version", "sha256", "libraries": {name:
// version}}; the digest is of the executable file that runs (/proc/self/exe).
base::Result<nlohmann::json> DescribeProgram();

// DescribeProgramAside begins the same on a thread of its own, while tokens and
// people are got ready: the digest takes as long as a dozen steps. That thread
// takes no signal; the last copy of the future waits for its end.
std::shared_future<base::Result<nlohmann::json>> DescribeProgramAside();

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_PROGRAM_H_
