#include "ceremony/report/booklet.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "ceremony/cli/command.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/one_record.h"
#include "ceremony/estate/fold.h"
#include "ceremony/report/inventory.h"
#include "ceremony/steps/catalogue.h"
#include "hsm/base/clock.h"
#include "hsm/base/file.h"

namespace ceremony::cli {
namespace {

struct Arguments {
  std::string from;  // script or archive
  std::string out;
  std::string binding, archive, roster;
};

base::Result<int> Print(const Arguments& arguments, const Streams& streams) {
  std::string roster = arguments.roster;
  estate::Folded folded;
  if (!arguments.archive.empty()) {
    KC_ASSIGN_OR_RETURN(folded, estate::FoldArchive(arguments.archive));
    if (roster.empty()) roster = folded.newest_roster;
  }
  KC_ASSIGN_OR_RETURN(const script::Inputs inputs,
                      script::ReadInputs(arguments.from, roster, arguments.binding, steps::Catalogue()));
  const steps::Plan plan = steps::MakePlan(inputs, folded.estate);
  KC_RETURN_IF_ERROR(base::WriteFile(arguments.out, report::Booklet(inputs, plan), base::kForEveryone));
  streams.out << fmt::format("the booklet of {} is in {}\n", inputs.script.id, arguments.out);
  if (plan.IsBlocked())
    streams.err << fmt::format("keyceremony: warning: {} cannot be run; `keyceremony check` says why\n",
                               inputs.script.id);
  return plan.IsBlocked() ? kExitFinding : kExitDone;
}

base::Result<int> TakeStock(const Arguments& arguments, const Streams& streams) {
  KC_RETURN_IF_ERROR(RequireArchive(arguments.from));
  KC_ASSIGN_OR_RETURN(const estate::Folded folded, estate::FoldArchive(arguments.from));
  base::SystemClock clock;
  KC_RETURN_IF_ERROR(base::WriteFile(arguments.out, report::Inventory(folded, base::FormatTime(clock.UtcMicros())),
                                     base::kForEveryone));
  streams.out << fmt::format("the key inventory of {} is in {}\n", arguments.from, arguments.out);
  return kExitDone;
}

void AddOut(CLI::App& command, std::string& out) {
  command.add_option("--out", out, "the file to write; one that is there is left alone")->required()->type_name("FILE");
}

}  // namespace

void AddBooklet(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("booklet", "write the script for the room, to be printed on paper");
  command->group(kPrepare);
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("script", arguments->from, "the ceremony script")->required()->type_name("FILE");
  AddOut(*command, arguments->out);
  command->add_option("--binding", arguments->binding, "say which token each is")->type_name("FILE");
  command->add_option("--archive", arguments->archive, "check against the estate that these records make")
      ->type_name("FOLDER");
  command->add_option("--roster", arguments->roster, "name the people; when left out, that of the archive")
      ->type_name("FILE");
  WhenChosen(*command, chosen, arguments, Print);
}

void AddInventory(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("inventory", "write the key inventory of an archive, as one HTML file");
  command->group(kLook);
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("archive", arguments->from, "the folder of all records")->required()->type_name("ARCHIVE");
  AddOut(*command, arguments->out);
  WhenChosen(*command, chosen, arguments, TakeStock);
}

}  // namespace ceremony::cli
