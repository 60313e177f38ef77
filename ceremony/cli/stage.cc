#include "ceremony/cli/stage.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <ostream>
#include <sstream>

#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/own_output.h"
#include "ceremony/quorum/bound_credentials.h"
#include "ceremony/quorum/shared_modules.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/posix_storage.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/verify.h"
#include "ceremony/room/signals.h"
#include "ceremony/room/tty_device.h"
#include "ceremony/room/tty_terminal.h"
#include "ceremony/room/unattended_terminal.h"
#include "ceremony/run/kept_tokens.h"
#include "ceremony/run/pins.h"
#include "ceremony/run/rehearsal.h"
#include "ceremony/run/rehearsal_faults.h"
#include "ceremony/verify/command.h"
#include "hsm/base/clock_text.h"
#include "hsm/module.h"

namespace ceremony::cli {
namespace {

base::Result<std::unique_ptr<room::Terminal>> OpenTerminal(const StageOptions& options) {
  if (options.company == Company::kUnattended) {
    return std::unique_ptr<room::Terminal>(
        std::make_unique<room::UnattendedTerminal>(options.quiet ? nullptr : StandardOutput(), LookOfOutput()));
  }
  KC_ASSIGN_OR_RETURN(std::unique_ptr<room::TtyTerminal> terminal, room::TtyTerminal::Open());
  return std::unique_ptr<room::Terminal>(std::move(terminal));
}

// Whether a record has a whole first entry: before that, `resume` finds nothing to go on with.
bool IsBegun(const std::string& record) {
  std::ifstream log(record::JoinPath(record, record::kLogFile));
  std::string line;
  return std::getline(log, line) && !log.eof();
}

// The error with the command that goes on with the record, if one was begun.
base::Error WithWayOn(base::Error error, const std::string& archive, const std::string& folder) {
  if (folder.empty()) return error;
  const std::string command = fmt::format("resume {}/{}", archive, folder);
  constexpr std::string_view kNoName = "resume RECORD";
  if (const auto place = error.hint.find(kNoName); place != std::string::npos) {
    error.hint.replace(place, kNoName.size(), command);
  } else if (error.hint.find("resume") == std::string::npos && IsBegun(archive + "/" + folder)) {
    error.hint += fmt::format("{}go on with: keyceremony {}", error.hint.empty() ? "" : "; ", command);
  }
  return error;
}

// While a ceremony is paused its log lies there: who knows what was signed last sees whether it was cut back meanwhile.
void ShowSigned(room::Terminal& terminal, const std::string& path) {
  const auto report = record::VerifyRecord(path, {});
  if (!report.ok() || !report->last) return;
  terminal.Say(room::Tone::kPlain,
               "Keep these words until the ceremony goes on: `resume` shows them again, and others if the record was "
               "cut back meanwhile.");
  terminal.ShowDigest(run::SignedSoFar(*report->last), report->last->root);
}

// On a terminal, lines break between words; what goes into a file stays as it is.
void PrintFitting(const std::string& text, std::ostream& out) {
  if (isatty(fileno(StandardOutput())) == 0) {
    out << text;
    return;
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    const std::size_t width = LookOfOutput().width;
    for (const std::string& part : room::WrapText(line.substr(indent), width > indent ? width - indent : width))
      out << (part.empty() ? "" : std::string(indent, ' ')) << part << '\n';
  }
}

}  // namespace

bool IsRehearsal(const script::Inputs& inputs) {
  return inputs.binding->environment == script::Environment::kRehearsal;
}

base::Result<void> CheckCompany(Company company) {
  if (company == Company::kUnattended) return {};
  return room::TtyDevice::CheckThatPeopleCanType();
}

base::Result<int> Perform(const StageOptions& options, const script::Inputs& inputs, const Streams& streams,
                          std::string& folder, const std::function<base::Result<run::Ended>(run::World&)>& play) {
  const room::SignalScope signals;
  hsm::IgnoreBrokenPipes();
  KC_ASSIGN_OR_RETURN(const std::unique_ptr<room::Terminal> terminal, OpenTerminal(options));
  KC_ASSIGN_OR_RETURN(const std::unique_ptr<record::PosixStorage> storage, record::PosixStorage::Open(options.archive));
  const bool stand_ins = IsRehearsal(inputs) && run::HasStandIns(options.archive);
  std::int64_t shift_micros = 0;
  if (stand_ins) {
    KC_ASSIGN_OR_RETURN(shift_micros, run::ReadRehearsalClock(options.archive));
  }
  base::ShiftedClock clock(shift_micros);
  run::TypedPins typed(*terminal, inputs.policy.pin);
  run::EnvelopePins envelopes(run::RehearsalPaths(options.archive).envelopes, inputs.policy.pin);
  run::PinKeeper& pins = stand_ins ? static_cast<run::PinKeeper&>(envelopes) : static_cast<run::PinKeeper&>(typed);
  // A custodian's card may hang on the module of a token, and C_Initialize works once in a process.
  quorum::SharedModules modules;
  quorum::BoundCredentials credentials(
      *inputs.binding, *terminal, [&modules](const hsm::ModuleOptions& module) { return modules.ForCard(module); });
  if (!stand_ins) credentials.AssumeNobodyIsSimulated();
  const run::KeptTokens kept{run::RehearsalPaths(options.archive)};
  // On a bad day tokens fail at steps, and the terminal tells which step it is.
  std::optional<run::FaultDirector> director;
  std::optional<run::FaultingTerminal> faulting;
  if (options.faults != nullptr) faulting.emplace(*terminal, director.emplace(*options.faults, *inputs.binding));
  const run::LoadModule load = [&](const hsm::ModuleOptions& module, std::shared_ptr<hsm::CallObserver> observer) {
    if (director) return run::LoadFaulty(*director, module, std::move(observer));
    return modules.ForCeremony(module, stand_ins ? run::KeepTokens(kept, std::move(observer)) : std::move(observer));
  };
  room::Terminal& shown = faulting ? static_cast<room::Terminal&>(*faulting) : *terminal;
  run::World world{shown, clock, *storage, pins, credentials, load, room::StopRequested};
  world.has_stand_ins = stand_ins;
  world.describe_program = [&options] { return options.program.get(); };
  if (stand_ins) world.mend_tokens = [&kept] { return kept.PutBack(); };
  const auto played = play(world);
  if (!played.ok() && !folder.empty() && terminal->HasPeople()) ShowSigned(*terminal, options.archive + "/" + folder);
  if (std::fflush(StandardOutput()) != 0 && played.ok()) {
    return base::SystemError("write", "standard output", EIO)
        .WithHint("the ceremony is complete; only its transcript is not");
  }
  if (!played.ok()) return WithWayOn(played.error(), options.archive, folder);
  const std::string path = options.archive + "/" + folder;
  verify::VerifyArguments verdict;
  verdict.path = path;
  verdict.in_archive = true;
  verdict.roster = fmt::format("{}/{}/{}", path, record::kInputsFolder, record::kRosterFile);
  streams.out << "\nThe record is in " << path << "\n";
  std::ostringstream judged;
  const int status = verify::VerifyCommand(verdict, "keyceremony", judged, streams.err);
  PrintFitting(judged.str(), streams.out);
  return status == kExitDone && *played == run::Ended::kCalledOff ? kExitFinding : status;
}

}  // namespace ceremony::cli
