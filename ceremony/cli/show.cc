#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <vector>

#include "ceremony/cli/command.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/one_record.h"
#include "ceremony/cli/own_output.h"
#include "ceremony/record/verify.h"
#include "ceremony/report/walk.h"
#include "ceremony/script/problems.h"
#include "hsm/base/clock.h"

namespace ceremony::cli {
namespace {

constexpr std::size_t kWidth = 100;  // of what is not a terminal

struct Arguments {
  std::string record;
  std::string roster;
  report::WalkFilter filter;
};

std::size_t Width() {
  winsize size{};
  return ioctl(fileno(StandardOutput()), TIOCGWINSZ, &size) == 0 && size.ws_col > 0
             ? std::min<std::size_t>(size.ws_col, kWidth)
             : kWidth;
}

// A filter that fits nothing would look like a record in which nothing happened.
base::Result<void> MustBeThere(const std::string& wanted, const std::string& what,
                               const std::vector<std::string>& names) {
  if (wanted.empty() || std::find(names.begin(), names.end(), wanted) != names.end()) return {};
  const std::string nearest = script::NearestName(wanted, names);
  return base::MakeError(base::ErrorCode::kInvalidInput, fmt::format("the record has no {} {}", what, wanted))
      .WithHint(nearest.empty() ? "leave the option out to see all of it" : "did you mean `" + nearest + "`?");
}

base::Result<int> Show(const Arguments& arguments, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(const std::optional<record::Trust> trust, ReadTrust(arguments.roster));
  KC_RETURN_IF_ERROR(RequireRecord(arguments.record, "one record is shown",
                                   "name one of its folders; `keyceremony status` is about the whole archive"));
  report::ReadOptions options;
  options.trust = trust ? &*trust : nullptr;
  base::SystemClock clock;
  options.made_at = base::FormatTime(clock.UtcMicros());
  KC_ASSIGN_OR_RETURN(const report::ReportData data, report::ReadReportData(arguments.record, options));
  std::vector<std::string> steps, people;
  for (const report::StepStory& step : data.steps) steps.push_back(step.id);
  for (const report::PersonSeen& person : data.people) people.push_back(person.id);
  KC_RETURN_IF_ERROR(MustBeThere(arguments.filter.step, "step", steps));
  KC_RETURN_IF_ERROR(MustBeThere(arguments.filter.person, "person", people));
  streams.out << report::Walk(data, arguments.filter, Width());
  return kExitDone;
}

}  // namespace

void AddShow(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("show", "walk through a record, step by step, in plain words");
  command->group(kLook);
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("record", arguments->record, "the folder of a record")->required()->type_name("RECORD");
  DescribeRoster(*command, arguments->roster);
  command->add_option("--step", arguments->filter.step, "only this step")->type_name("ID");
  command->add_option("--person", arguments->filter.person, "only what this person did")->type_name("ID");
  command->add_flag("--exceptions", arguments->filter.exceptions,
                    "only what did not go as the script has it: failures, refusals, deviations");
  WhenChosen(*command, chosen, arguments, Show);
}

}  // namespace ceremony::cli
