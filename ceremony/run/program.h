// What program this is, for the record: name, version and its own digest.
#ifndef CEREMONY_RUN_PROGRAM_H_
#define CEREMONY_RUN_PROGRAM_H_

#include <nlohmann/json_fwd.hpp>

#include "hsm/base/result.h"

namespace ceremony::run {

// DescribeProgram returns {"name", "version", "sha256", "libraries": {name:
// version}}; the digest is of the executable file that runs (/proc/self/exe).
base::Result<nlohmann::json> DescribeProgram();

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_PROGRAM_H_
