#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <ostream>

#include "ceremony/cli/command.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/one_record.h"
#include "ceremony/record/verify.h"
#include "ceremony/report/ceremony_report.h"
#include "hsm/base/clock.h"
#include "hsm/base/file.h"

namespace ceremony::cli {
namespace {

struct Arguments {
  std::string record;
  std::string out;
  std::string roster;
};

base::Result<int> Report(const Arguments& arguments, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(const std::optional<record::Trust> trust, ReadTrust(arguments.roster));
  KC_RETURN_IF_ERROR(RequireRecord(arguments.record, "a report is of one record",
                                   "name one of its folders; `keyceremony inventory` is about the whole archive"));
  base::SystemClock clock;
  report::ReadOptions options;
  options.trust = trust ? &*trust : nullptr;
  options.made_at = base::FormatTime(clock.UtcMicros());
  KC_ASSIGN_OR_RETURN(const report::ReportData data, report::ReadReportData(arguments.record, options));
  KC_ASSIGN_OR_RETURN(const report::CarriedFiles files, report::ReadCarriedFiles(arguments.record, data));
  KC_RETURN_IF_ERROR(base::WriteFile(arguments.out, report::CeremonyReport(data, files), base::kForEveryone));
  streams.out << fmt::format("{}: the report of {} is in {}\n", record::VerdictName(data.verdict.verdict),
                             arguments.record, arguments.out);
  return kExitDone;
}

}  // namespace

void AddReport(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("report", "write the ceremony report of a record, as one HTML file");
  command->group(kLook);
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("record", arguments->record, "the folder of a record")->required()->type_name("RECORD");
  command->add_option("--out", arguments->out, "the file to write; one that is there is left alone")
      ->required()
      ->type_name("FILE");
  DescribeRoster(*command, arguments->roster);
  WhenChosen(*command, chosen, arguments, Report);
}

}  // namespace ceremony::cli
