// The commands about a fleet of tokens; command.h has the others.
#ifndef CEREMONY_CLI_FLEET_COMMANDS_H_
#define CEREMONY_CLI_FLEET_COMMANDS_H_

#include "ceremony/cli/command.h"

namespace ceremony::cli {

void AddCompare(CLI::App& program, Action& chosen);
void AddTokenProbe(CLI::App& token, Action& chosen);  // below `token`

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_FLEET_COMMANDS_H_
