#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "ceremony/cli/archive_lock.h"
#include "ceremony/cli/command.h"
#include "ceremony/cli/stage.h"
#include "ceremony/record/record_name.h"
#include "ceremony/run/record_inputs.h"
#include "ceremony/run/rehearsal.h"
#include "ceremony/run/start.h"

namespace ceremony::cli {
namespace {

struct Arguments {
  std::string record;
  bool unattended = false;
  bool quiet = false;
  bool call_off = false;
};

// A rehearsal that was copied acts on no tokens of the original, also when its people were left out of the copy.
base::Result<void> CheckOwnRehearsal(const std::string& archive, const std::string& folder) {
  KC_RETURN_IF_ERROR(run::CheckOwnTokens(archive));
  if (run::HasStandIns(archive)) return {};
  KC_ASSIGN_OR_RETURN(const bool simulated, run::WasSimulated(archive, folder));
  if (!simulated) return {};
  return base::Refusal("REHEARSAL-COPY-01",
                       fmt::format("the simulated people and tokens of {} are not in {}", folder, archive),
                       "a record that was copied is there to be read: go on with it where it was made");
}

base::Result<int> ResumeRecord(const Arguments& arguments, const Streams& streams) {
  namespace fs = std::filesystem;
  const record::RecordPath where = record::SplitRecordPath(arguments.record);
  std::string folder = where.folder;
  std::error_code unreadable;  // what cannot be looked at is no record
  if (!record::RecordNumber(folder) || !fs::is_directory(arguments.record, unreadable)) {
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           fmt::format("{} is not a record of an archive", arguments.record))
        .WithHint("give the folder of a record, such as ARCHIVE/0001-smki-root-oca");
  }
  KC_ASSIGN_OR_RETURN(const base::FileDescriptor lock, LockArchive(where.archive));
  KC_ASSIGN_OR_RETURN(script::Inputs inputs, run::ReadRecordInputs(where.archive, folder));
  if (arguments.unattended && !(IsRehearsal(inputs) && run::HasStandIns(where.archive))) {
    return base::Refusal("RUN-ENV-03", fmt::format("nobody in {} is simulated", arguments.record),
                         "people resume it: leave --unattended out");
  }
  if (IsRehearsal(inputs)) KC_RETURN_IF_ERROR(CheckOwnRehearsal(where.archive, folder));
  StageOptions options;
  options.archive = where.archive;
  options.company = arguments.unattended ? Company::kUnattended : Company::kPeople;
  options.quiet = arguments.quiet;
  const run::Onward onward = arguments.call_off ? run::Onward::kCallOff : run::Onward::kToTheEnd;
  return Perform(options, inputs, streams, folder,
                 [&](run::World& world) { return run::Resume(world, options.archive, inputs, folder, onward); });
}

}  // namespace

void AddResume(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("resume", "go on with a ceremony after a crash or a pause");
  command->group(kHold);
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("record", arguments->record, "the folder of the record")->required()->type_name("RECORD");
  command->add_flag("--call-off", arguments->call_off,
                    "do not go on: close the record of a ceremony that cannot come to its end, with the reason");
  command->add_flag("--unattended", arguments->unattended,
                    "a rehearsal: simulated people answer every question by themselves");
  command->add_flag("--quiet", arguments->quiet, "no transcript, only the verdict")->needs("--unattended");
  WhenChosen(*command, chosen, arguments, ResumeRecord);
}

}  // namespace ceremony::cli
