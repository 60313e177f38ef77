#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string_view>

#include "ceremony/cli/command.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/fleet_commands.h"
#include "ceremony/estate/comparison.h"
#include "ceremony/room/text.h"

namespace ceremony::cli {
namespace {

using estate::StepComparison;
using estate::StepOutcome;
using nlohmann::ordered_json;

struct Arguments {
  std::string first;
  std::string second;
  bool json = false;
};

ordered_json ToJson(const StepOutcome* step) {
  if (step == nullptr) return nullptr;
  return {{"phase", step->phase},
          {"attempts", step->attempts},
          {"microseconds", step->microseconds},
          {"calls", {{"count", step->call_count}, {"microseconds", step->call_microseconds}}},
          {"results", step->results}};
}

std::string Seconds(const StepOutcome* step) {
  constexpr double kMicros = 1'000'000.0;
  return step == nullptr ? "-" : fmt::format("{:.3f} s", static_cast<double>(step->microseconds) / kMicros);
}
std::string Calls(const StepOutcome* step) {
  constexpr double kMicros = 1000.0;
  if (step == nullptr) return "-";
  return fmt::format("{} in {:.1f} ms", step->call_count, static_cast<double>(step->call_microseconds) / kMicros);
}

// What a record says may hold what a terminal obeys.
std::string Shown(std::string_view text) { return room::Visible(text, room::Charset::kUtf8); }

void Print(const estate::RecordOutcome& first, const estate::RecordOutcome& second,
           const std::vector<StepComparison>& rows, std::ostream& out) {
  const auto tokens = [](const estate::RecordOutcome& record) {
    std::string list;
    for (const auto& [name, serial] : record.tokens)
      list += fmt::format("{}{} (serial {})", list.empty() ? "" : ", ", name, serial.empty() ? "none" : serial);
    return Shown(list);
  };
  out << fmt::format("first   {}  {}\nsecond  {}  {}\n", Shown(first.ceremony), tokens(first), Shown(second.ceremony),
                     tokens(second));
  if (first.script_sha256 != second.script_sha256)
    out << fmt::format("the scripts differ: SHA-256 {} against {}\n", Shown(first.script_sha256),
                       Shown(second.script_sha256));
  std::size_t width = 20;
  for (const StepComparison& row : rows) width = std::clamp(row.id.size(), width, std::size_t{40});
  out << fmt::format("\n  {:<{}} {:>10} {:>10}  {:<18} {:<18} {}\n", "step", width, "first", "second", "calls, first",
                     "calls, second", "result");
  for (const StepComparison& row : rows) {
    out << fmt::format("  {:<{}} {:>10} {:>10}  {:<18} {:<18} {}\n", Shown(row.id), width, Seconds(row.first),
                       Seconds(row.second), Calls(row.first), Calls(row.second),
                       row.differences.empty() ? "the same" : "DIFFERS");
    for (const std::string& difference : row.differences) out << "      " << Shown(difference) << "\n";
  }
}

base::Result<int> CompareRecords(const Arguments& arguments, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(const estate::RecordOutcome first, estate::ReadOutcome(arguments.first));
  KC_ASSIGN_OR_RETURN(const estate::RecordOutcome second, estate::ReadOutcome(arguments.second));
  const std::vector<StepComparison> rows = estate::Compare(first, second);
  bool differs = first.script_sha256 != second.script_sha256;
  ordered_json steps = ordered_json::array();
  for (const StepComparison& row : rows) {
    differs = differs || !row.differences.empty();
    steps.push_back({{"id", row.id},
                     {"first", ToJson(row.first)},
                     {"second", ToJson(row.second)},
                     {"differences", row.differences}});
  }
  if (arguments.json) {
    const ordered_json object{{"same_script", first.script_sha256 == second.script_sha256},
                              {"same_results", !differs},
                              {"steps", std::move(steps)}};
    streams.out << object.dump() << '\n';
  } else {
    Print(first, second, rows, streams.out);
  }
  return differs ? kExitFinding : kExitDone;
}

}  // namespace

void AddCompare(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("compare", "compare two runs of a script, step by step");
  command->group(kLook);
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("first", arguments->first, "a record, of the live token say")->required()->type_name("RECORD");
  command->add_option("second", arguments->second, "another, of the backup")->required()->type_name("RECORD");
  command->add_flag("--json", arguments->json, "print one JSON object");
  WhenChosen(*command, chosen, arguments, CompareRecords);
}

}  // namespace ceremony::cli
