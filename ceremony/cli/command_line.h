// The command line of `keyceremony`: finds the command, runs it, and turns
// whatever comes of it into the exit status of the contract (exit_code.h).
#ifndef CEREMONY_CLI_COMMAND_LINE_H_
#define CEREMONY_CLI_COMMAND_LINE_H_

#include <iosfwd>

namespace ceremony::cli {

// RunCommandLine returns the exit status. It reports errors on `err`, also when
// the result cannot be written to `out` (4). An unexpected exception is a bug
// (70); no exception leaves this function.
int RunCommandLine(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_COMMAND_LINE_H_
