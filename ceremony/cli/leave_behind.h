// The record that a ceremony leaves behind, since nobody can close it any more (run/leave_behind.h).
#ifndef CEREMONY_CLI_LEAVE_BEHIND_H_
#define CEREMONY_CLI_LEAVE_BEHIND_H_

#include <string>

#include "ceremony/cli/command.h"

namespace ceremony::cli {

// DescribeLeaveBehind adds --leave-behind.
void DescribeLeaveBehind(CLI::App& command, std::string& record);

// FolderLeftBehind is the folder of the record that was given, by its name or its path; empty: none was.
std::string FolderLeftBehind(const std::string& record);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_LEAVE_BEHIND_H_
