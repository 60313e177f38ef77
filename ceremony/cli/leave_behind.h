// The option for a record that nobody can close any more (run/leave_behind.h).
#ifndef CEREMONY_CLI_LEAVE_BEHIND_H_
#define CEREMONY_CLI_LEAVE_BEHIND_H_

#include <string>

#include "ceremony/cli/command.h"

namespace ceremony::cli {

// DescribeLeaveBehind adds --leave-behind.
void DescribeLeaveBehind(CLI::App& command, std::string& record);

// FolderLeftBehind returns the folder of the record that was given by name or path; empty if none was given.
std::string FolderLeftBehind(const std::string& record);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_LEAVE_BEHIND_H_
