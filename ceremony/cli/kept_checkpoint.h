// A checkpoint that somebody has kept elsewhere says which record is the last of an archive.
// An archive cannot show that its newest records are missing.
#ifndef CEREMONY_CLI_KEPT_CHECKPOINT_H_
#define CEREMONY_CLI_KEPT_CHECKPOINT_H_

#include <string>

#include "ceremony/cli/command.h"
#include "hsm/base/result.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class Option;
}

namespace ceremony::cli {

// DescribeCheckpoint adds --checkpoint, and returns it.
CLI::Option* DescribeCheckpoint(CLI::App& command, std::string& path);

// CheckNewest refuses an archive whose newest record does not end with the checkpoint in the file `kept`
// (ARCHIVE-HEAD-01). An empty path checks nothing. kCorrupt if the file is not a signed checkpoint; its signatures are
// not verified, since the file is the reader's own.
base::Result<void> CheckNewest(const std::string& archive, const std::string& kept);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_KEPT_CHECKPOINT_H_
