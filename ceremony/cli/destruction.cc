#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <ostream>

#include "ceremony/cli/command.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/one_record.h"
#include "ceremony/record/verify.h"
#include "ceremony/report/destruction_page.h"
#include "hsm/base/clock.h"
#include "hsm/base/counted.h"
#include "hsm/base/file.h"

namespace ceremony::cli {
namespace {

struct Arguments {
  std::string record;
  std::string out;
  std::string key;
  std::string roster;
};

base::Result<int> Write(const Arguments& arguments, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(const std::optional<record::Trust> trust, ReadTrust(arguments.roster));
  KC_RETURN_IF_ERROR(RequireRecord(arguments.record, "a key is destroyed in one ceremony",
                                   "name one of its folders; `keyceremony status` says which"));
  base::SystemClock clock;
  report::ReadOptions options;
  options.trust = trust ? &*trust : nullptr;
  options.made_at = base::FormatTime(clock.UtcMicros());
  KC_ASSIGN_OR_RETURN(const report::ReportData data, report::ReadReportData(arguments.record, options));
  KC_ASSIGN_OR_RETURN(const auto certificates, report::ReadDestructions(arguments.record, data, arguments.key));
  KC_RETURN_IF_ERROR(base::WriteFile(arguments.out, report::DestructionPage(data, certificates), base::kForEveryone));
  streams.out << fmt::format("{}: the certificate of destruction of {} is in {}\n",
                             record::VerdictName(data.verdict.verdict),
                             base::Counted(certificates.size(), "key", "keys"), arguments.out);
  return kExitDone;
}

}  // namespace

void AddDestruction(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand(
      "destruction", "write the certificate of destruction of the keys of a record, as one HTML file");
  command->group(kLook);
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("record", arguments->record, "the folder of the record that destroyed them")
      ->required()
      ->type_name("RECORD");
  command->add_option("--out", arguments->out, "the file to write; one that is there is left alone")
      ->required()
      ->type_name("FILE");
  command->add_option("--key", arguments->key, "of this key alone")->type_name("NAME");
  DescribeRoster(*command, arguments->roster);
  WhenChosen(*command, chosen, arguments, Write);
}

}  // namespace ceremony::cli
