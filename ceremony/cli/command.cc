#include "ceremony/cli/command.h"

#include <CLI/CLI.hpp>
#include <utility>

namespace ceremony::cli {

void SetAction(CLI::App& command, Action& chosen, Action action) {
  command.callback([action = std::move(action), &chosen] { chosen = action; });
}

}  // namespace ceremony::cli
