#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "ceremony/cli/archive_lock.h"
#include "ceremony/cli/command.h"
#include "ceremony/cli/kept_checkpoint.h"
#include "ceremony/cli/leave_behind.h"
#include "ceremony/cli/stage.h"
#include "ceremony/record/record_name.h"
#include "ceremony/run/start.h"
#include "ceremony/steps/catalogue.h"

namespace ceremony::cli {
namespace {

struct Arguments {
  std::string script;
  std::string binding;
  std::string roster;
  std::string archive;
  std::string checkpoint;
  std::string leave_behind;
};

base::Result<int> Run(const Arguments& arguments, const Streams& streams) {
  const std::string roster =
      arguments.roster.empty() ? (std::filesystem::path(arguments.binding).parent_path() / record::kRosterFile).string()
                               : arguments.roster;
  KC_ASSIGN_OR_RETURN(script::Inputs inputs,
                      script::ReadInputs(arguments.script, roster, arguments.binding, steps::Catalogue()));
  if (IsRehearsal(inputs)) {
    return base::Refusal(
        "RUN-ENV-01", fmt::format("the binding {} belongs to a rehearsal", arguments.binding),
        "`keyceremony rehearse` runs it; a real ceremony needs a binding whose environment is uit, sit or production");
  }
  KC_RETURN_IF_ERROR(CheckCompany(Company::kPeople));
  KC_RETURN_IF_ERROR(CheckNewest(arguments.archive, arguments.checkpoint));
  KC_RETURN_IF_ERROR(MakeArchive(arguments.archive));
  KC_ASSIGN_OR_RETURN(const base::FileDescriptor lock, LockArchive(arguments.archive));
  StageOptions options;
  options.archive = arguments.archive;
  const std::string left = FolderLeftBehind(arguments.leave_behind);
  std::string folder;
  return Perform(options, inputs, streams, folder,
                 [&](run::World& world) { return run::Begin(world, options.archive, inputs, folder, left); });
}

}  // namespace

void AddRun(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("run", "run a script on real tokens, with the people in the room");
  command->group(kHold);
  const auto arguments = std::make_shared<Arguments>();
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
  command->callback(
      [arguments, &chosen] { chosen = [arguments](const Streams& streams) { return Run(*arguments, streams); }; });
}

}  // namespace ceremony::cli
