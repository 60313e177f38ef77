#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "ceremony/cli/command.h"
#include "ceremony/cli/hold.h"
#include "ceremony/cli/kept_checkpoint.h"
#include "ceremony/cli/leave_behind.h"
#include "ceremony/cli/stage.h"

namespace ceremony::cli {
namespace {

base::Result<int> Run(const HoldArguments& arguments, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(const script::Inputs inputs, ReadOwnInputs(arguments));
  if (IsRehearsal(inputs)) {
    return base::Refusal("RUN-ENV-01", fmt::format("the binding {} belongs to a rehearsal", arguments.binding),
                         "`keyceremony rehearse --binding` holds it; a real ceremony needs a binding whose environment "
                         "is uit, sit or production");
  }
  return Hold(arguments, inputs, streams);
}

}  // namespace

void AddRun(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("run", "run a script on real tokens, with the people in the room");
  command->group(kHold);
  const auto arguments = std::make_shared<HoldArguments>();
  command->add_option("script", arguments->script, "the ceremony script")->required()->type_name("FILE");
  command->add_option("--binding", arguments->binding, "which real token stands for each logical one")
      ->required()
      ->type_name("FILE");
  command->add_option("--archive", arguments->archive, "the folder of all records of this estate")
      ->required()
      ->type_name("FOLDER");
  DescribeCheckpoint(*command, arguments->checkpoint);
  DescribeLeaveBehind(*command, arguments->leave_behind);
  command->add_option("--roster", arguments->roster, "the people; roster.json beside the binding when left out")
      ->type_name("FILE");
  WhenChosen(*command, chosen, arguments, Run);
}

}  // namespace ceremony::cli
