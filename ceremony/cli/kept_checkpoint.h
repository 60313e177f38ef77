// A checkpoint that somebody has kept elsewhere says which record is the last of an archive. Nothing in an archive can
// show that its newest records are gone, and with them whose their keys are.
#ifndef CEREMONY_CLI_KEPT_CHECKPOINT_H_
#define CEREMONY_CLI_KEPT_CHECKPOINT_H_

#include <string>

#include "ceremony/cli/command.h"
#include "hsm/base/result.h"

namespace ceremony::cli {

// DescribeCheckpoint adds --checkpoint.
void DescribeCheckpoint(CLI::App& command, std::string& path);

// CheckNewest refuses an archive whose newest record does not end with the checkpoint in the file `kept`
// (ARCHIVE-HEAD-01). Who kept none gives an empty path, and everything goes. kCorrupt when the file is no signed
// checkpoint; its signatures are not looked at, as it is the reader's own.
base::Result<void> CheckNewest(const std::string& archive, const std::string& kept);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_KEPT_CHECKPOINT_H_
