#include "ceremony/cli/hold.h"

#include <fmt/format.h>

#include <filesystem>

#include "ceremony/cli/archive_lock.h"
#include "ceremony/cli/kept_checkpoint.h"
#include "ceremony/cli/leave_behind.h"
#include "ceremony/cli/stage.h"
#include "ceremony/record/record_name.h"
#include "ceremony/run/archive_rules.h"
#include "ceremony/run/rehearsal.h"
#include "ceremony/run/start.h"
#include "ceremony/steps/catalogue.h"

namespace ceremony::cli {

base::Result<script::Inputs> ReadOwnInputs(const HoldArguments& arguments) {
  const std::string roster =
      arguments.roster.empty() ? (std::filesystem::path(arguments.binding).parent_path() / record::kRosterFile).string()
                               : arguments.roster;
  return script::ReadInputs(arguments.script, roster, arguments.binding, steps::Catalogue());
}

base::Result<int> Hold(const HoldArguments& arguments, const script::Inputs& inputs, const Streams& streams) {
  KC_RETURN_IF_ERROR(CheckCompany(Company::kPeople));
  KC_RETURN_IF_ERROR(CheckNewest(arguments.archive, arguments.checkpoint));
  KC_RETURN_IF_ERROR(
      run::CheckMode(arguments.archive, IsRehearsal(inputs) ? record::Mode::kRehearsal : record::Mode::kProduction));
  KC_RETURN_IF_ERROR(MakeArchive(arguments.archive));
  KC_ASSIGN_OR_RETURN(const base::FileDescriptor lock, LockArchive(arguments.archive));
  if (IsRehearsal(inputs) && run::HasStandIns(arguments.archive)) {
    return base::Refusal("REHEARSAL-OWN-01",
                         fmt::format("the archive {} has simulated people and tokens of its own", arguments.archive),
                         "rehearse with your own in another archive, or leave --binding out");
  }
  StageOptions options;
  options.archive = arguments.archive;
  const std::string left = FolderLeftBehind(arguments.leave_behind);
  std::string folder;
  return Perform(options, inputs, streams, folder,
                 [&](run::World& world) { return run::Begin(world, options.archive, inputs, folder, left); });
}

}  // namespace ceremony::cli
