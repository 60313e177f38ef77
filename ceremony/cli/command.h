// A command of the program: how it is asked for, and what it does.
#ifndef CEREMONY_CLI_COMMAND_H_
#define CEREMONY_CLI_COMMAND_H_

#include <functional>
#include <iosfwd>
#include <memory>

#include "hsm/base/result.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class App;
}

namespace ceremony::cli {

// Streams: a command writes its result to `out`, which is delivered whole when
// the command is done, and remarks to `err`. A result that is too large to be
// kept goes to `live`: at once, and before anything in `out`.
struct Streams {
  std::ostream& out;
  std::ostream& err;
  std::ostream& live;
};

// An Action is a command with its arguments. It returns the exit status, or an
// error that the command line reports.
using Action = std::function<base::Result<int>(const Streams&)>;

// SetAction leaves `action` in `chosen` if the user asks for this command.
void SetAction(CLI::App& command, Action& chosen, Action action);

// WhenChosen is the same for a function and the arguments that the parse fills in.
template <typename Arguments>
void WhenChosen(CLI::App& command, Action& chosen, const std::shared_ptr<Arguments>& arguments,
                base::Result<int> (*act)(const Arguments&, const Streams&)) {
  SetAction(command, chosen, [arguments, act](const Streams& streams) { return act(*arguments, streams); });
}

// The headings under which `--help` lists commands.
inline constexpr const char* kPrepare = "Before a ceremony";
inline constexpr const char* kHold = "A ceremony";
inline constexpr const char* kLook = "After a ceremony";

// Each adds one command to the program. If the user asked for it, its Action
// is left in `chosen`, which outlives the parse. One file each.
void AddCheck(CLI::App& program, Action& chosen);
void AddCustodian(CLI::App& program, Action& chosen);
void AddSchema(CLI::App& program, Action& chosen);
void AddRehearse(CLI::App& program, Action& chosen);
void AddTokenList(CLI::App& program, Action& chosen);
void AddRun(CLI::App& program, Action& chosen);
void AddResume(CLI::App& program, Action& chosen);
void AddStatus(CLI::App& program, Action& chosen);
void AddVerify(CLI::App& program, Action& chosen);
void AddLint(CLI::App& program, Action& chosen);
void AddNormalise(CLI::App& program, Action& chosen);
void AddReplay(CLI::App& program, Action& chosen);
void AddReport(CLI::App& program, Action& chosen);
void AddShow(CLI::App& program, Action& chosen);
void AddBooklet(CLI::App& program, Action& chosen);
void AddInventory(CLI::App& program, Action& chosen);
void AddDestruction(CLI::App& program, Action& chosen);
// AddProof adds `proof`, `tiles` and `stamp`.
void AddProof(CLI::App& program, Action& chosen);
void AddRedact(CLI::App& program, Action& chosen);
void AddRestore(CLI::App& program, Action& chosen);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_COMMAND_H_
