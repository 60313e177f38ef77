#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "ceremony/cli/archive_lock.h"
#include "ceremony/cli/command.h"
#include "ceremony/cli/hold.h"
#include "ceremony/cli/kept_checkpoint.h"
#include "ceremony/cli/leave_behind.h"
#include "ceremony/cli/stage.h"
#include "ceremony/estate/fold.h"
#include "ceremony/record/entry.h"
#include "ceremony/run/archive_rules.h"
#include "ceremony/run/rehearsal.h"
#include "ceremony/run/rehearsal_people.h"
#include "ceremony/run/start.h"
#include "ceremony/steps/catalogue.h"
#include "hsm/base/clock_text.h"
#include "hsm/module.h"

namespace ceremony::cli {
namespace {

struct Arguments : HoldArguments {  // without a binding: stand-ins
  std::string at;                   // RFC 3339; empty: now
  std::string faults;
  bool unattended = false;
  bool quiet = false;
};

// A new archive beside the person who rehearses, named by script and time.
std::string NewArchive(const std::string& script_id) {
  base::SystemClock clock;
  const std::string now = base::FormatTime(clock.UtcMicros());
  return fmt::format("rehearsal-{}-{}{}{}-{}{}{}", script_id, now.substr(0, 4), now.substr(5, 2), now.substr(8, 2),
                     now.substr(11, 2), now.substr(14, 2), now.substr(17, 2));
}

// A record has no time after the year 9999, and a ceremony that begins in it may go on beyond its end.
base::Result<void> CheckIsHeld(const std::string& text, std::int64_t at) {
  KC_ASSIGN_OR_RETURN(const std::int64_t last_year, base::ParseTime("9999-01-01T00:00:00Z"));
  if (at < last_year) return {};
  return base::MakeError(base::ErrorCode::kInvalidInput,
                         fmt::format("--at is {}, and a ceremony begins before the year 9999", text));
}

// Stand-ins know nothing of the tokens and shares of an archive that people have rehearsed in.
base::Result<void> CheckStandIns(const std::string& archive) {
  KC_ASSIGN_OR_RETURN(const std::string held, estate::NewestMode(archive));
  if (held.empty() || run::HasStandIns(archive)) return {};
  return base::Refusal("REHEARSAL-OWN-02",
                       fmt::format("the rehearsals of {} were held with a binding of their own", archive),
                       "give it with --binding, or rehearse in another archive");
}

base::Result<void> CheckEnvironment(const script::Inputs& inputs, const std::string& binding) {
  if (IsRehearsal(inputs)) return {};
  return base::Refusal("RUN-ENV-02",
                       fmt::format("{} says {}, not rehearsal", binding, script::NameOf(inputs.binding->environment)),
                       "rehearse with a binding of its own, in an archive of its own; `keyceremony run` takes the "
                       "binding of the real tokens");
}

// With the people who will be there and tokens like theirs: nothing is simulated but that it counts for nothing.
base::Result<int> RehearseWithOwn(HoldArguments arguments, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(const script::Inputs inputs, ReadOwnInputs(arguments));
  KC_RETURN_IF_ERROR(CheckEnvironment(inputs, arguments.binding));
  if (arguments.archive.empty()) arguments.archive = NewArchive(inputs.script.id);
  return Hold(arguments, inputs, streams);
}

base::Result<int> Rehearse(const Arguments& arguments, const Streams& streams) {
  if (!arguments.binding.empty()) return RehearseWithOwn(arguments, streams);
  StageOptions options;
  KC_ASSIGN_OR_RETURN(script::Inputs inputs, script::ReadInputs(arguments.script, "", "", steps::Catalogue()));
  std::int64_t shift_micros = 0;
  if (!arguments.at.empty()) {
    base::SystemClock clock;
    KC_ASSIGN_OR_RETURN(const std::int64_t at, base::ParseTime(arguments.at));
    KC_RETURN_IF_ERROR(CheckIsHeld(arguments.at, at));
    shift_micros = at - clock.UtcMicros();
  }
  script::FaultFile faults;
  if (!arguments.faults.empty()) {
    KC_ASSIGN_OR_RETURN(faults, script::ReadFaults(arguments.faults));
    KC_RETURN_IF_ERROR(script::CheckFaults(faults, inputs.script));
  }
  if (!arguments.faults.empty()) options.faults = &faults;
  options.archive = arguments.archive.empty() ? NewArchive(inputs.script.id) : arguments.archive;
  options.company = arguments.unattended ? Company::kUnattended : Company::kPeople;
  options.quiet = arguments.quiet;
  KC_RETURN_IF_ERROR(CheckCompany(options.company));
  KC_RETURN_IF_ERROR(CheckNewest(options.archive, arguments.checkpoint));
  KC_RETURN_IF_ERROR(run::CheckMode(options.archive, record::Mode::kRehearsal));
  KC_RETURN_IF_ERROR(MakeArchive(options.archive));
  KC_ASSIGN_OR_RETURN(const base::FileDescriptor lock, LockArchive(options.archive));
  KC_RETURN_IF_ERROR(run::CheckOwnTokens(options.archive));
  KC_RETURN_IF_ERROR(CheckStandIns(options.archive));
  KC_RETURN_IF_ERROR(run::PrepareRehearsal(options.archive, inputs.script, inputs.policy, hsm::Module::Load));
  if (!arguments.leave_behind.empty())
    KC_RETURN_IF_ERROR(run::ReplaceRecordToken(options.archive, inputs.policy, hsm::Module::Load));
  KC_RETURN_IF_ERROR(run::SetRehearsalClock(options.archive, shift_micros));
  KC_RETURN_IF_ERROR(run::PreparePeople(options.archive, inputs));
  const run::RehearsalPaths paths(options.archive);
  KC_ASSIGN_OR_RETURN(inputs.roster, script::ReadRoster(paths.roster));
  KC_RETURN_IF_ERROR(script::CheckRoster(inputs.script, *inputs.roster));
  KC_ASSIGN_OR_RETURN(inputs.binding, script::ReadBinding(paths.binding));
  KC_RETURN_IF_ERROR(script::CheckBinding(inputs.script, *inputs.binding));
  KC_RETURN_IF_ERROR(run::TakeSimulatedPersonFiles(options.archive, inputs));
  KC_RETURN_IF_ERROR(CheckEnvironment(inputs, paths.binding));
  const std::string left = FolderLeftBehind(arguments.leave_behind);
  std::string folder;
  return Perform(options, inputs, streams, folder,
                 [&](run::World& world) { return run::Begin(world, options.archive, inputs, folder, left); });
}

}  // namespace

void AddRehearse(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand(
      "rehearse", "run a script on SoftHSM tokens made for it, with simulated people, or with your own");
  command->group(kPrepare);
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("script", arguments->script, "the ceremony script")->required()->type_name("FILE");
  command
      ->add_option("--archive", arguments->archive,
                   "where tokens, people and records are kept; a new folder here when left out")
      ->type_name("FOLDER");
  CLI::Option* const binding =
      command
          ->add_option("--binding", arguments->binding,
                       "your own tokens and people: nothing is simulated, PINs and passphrases are typed; its "
                       "environment is rehearsal")
          ->type_name("FILE");
  command->add_option("--roster", arguments->roster, "your own people; roster.json beside the binding when left out")
      ->type_name("FILE")
      ->needs(binding);
  DescribeCheckpoint(*command, arguments->checkpoint);
  DescribeLeaveBehind(*command, arguments->leave_behind);
  command
      ->add_option("--at", arguments->at,
                   "rehearse as if it were then: for a ceremony of another day, such as a destruction after a hold")
      ->type_name("TIME")
      ->excludes(binding);
  command
      ->add_option("--faults", arguments->faults,
                   "play the bad days of this file: pulled, slow, refusing, locked tokens")
      ->type_name("FILE")
      ->excludes(binding);
  command->add_flag("--unattended", arguments->unattended, "simulated people answer every question by themselves")
      ->excludes(binding);
  command->add_flag("--quiet", arguments->quiet, "no transcript, only the verdict")->needs("--unattended");
  WhenChosen(*command, chosen, arguments, Rehearse);
}

}  // namespace ceremony::cli
