#include "ceremony/replay/replay.h"

#include <fmt/format.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "ceremony/cli/command.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/one_record.h"
#include "ceremony/room/signals.h"
#include "ceremony/room/text.h"
#include "hsm/base/counted.h"
#include "hsm/module.h"

namespace ceremony::cli {
namespace {

using nlohmann::ordered_json;
using replay::Difference;
using replay::Report;

constexpr std::size_t kColumn = 46;

struct Arguments {
  std::string record;
  std::string keep;
  bool json = false;
};

// Stage is the folder to act in: a new one that is kept, or one that goes with this program.
class Stage final {
 public:
  static base::Result<Stage> Make(const std::string& keep) {
    std::error_code error;
    if (!keep.empty()) {
      if (std::filesystem::exists(keep, error)) {
        return base::MakeError(base::ErrorCode::kInvalidInput, keep + " exists")
            .WithHint("--keep names a folder that is made");
      }
      std::filesystem::create_directories(keep, error);
      if (error) return base::SystemError("mkdir", keep, error.value());
      return Stage(keep, "");
    }
    std::string path = (std::filesystem::temp_directory_path(error) / "keyceremony-replay-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) return base::SystemError("mkdtemp", path, errno);
    return Stage(path, path);
  }
  ~Stage() {
    std::error_code error;
    if (!remove_.empty()) std::filesystem::remove_all(remove_, error);
  }
  Stage(Stage&& other) noexcept : path_(std::move(other.path_)), remove_(std::exchange(other.remove_, {})) {}
  Stage(const Stage&) = delete;  // one owner removes it
  Stage& operator=(const Stage&) = delete;
  Stage& operator=(Stage&&) = delete;
  const std::string& path() const { return path_; }

 private:
  Stage(std::string path, std::string remove) : path_(std::move(path)), remove_(std::move(remove)) {}
  std::string path_, remove_;
};

// The replay's own folder may lie where there is little room.
base::Error InItsStage(base::Error error, const Stage& stage) {
  if (error.code != base::ErrorCode::kIo || error.message.find(stage.path()) == std::string::npos) return error;
  return std::move(error).WithHint("give a folder with --keep or TMPDIR in which the replay has room");
}

std::string Shown(std::string_view text) { return room::Visible(text, room::Charset::kUtf8); }

std::string Entry(const std::optional<std::uint64_t>& seq) { return seq ? std::to_string(*seq) : "-"; }

std::string Padded(const std::string& text) {
  const std::size_t width = room::DisplayWidth(text);
  return text + std::string(width < kColumn ? kColumn - width : 0, ' ');
}

// Two columns: what the record says, and what the replay did.
void PrintDifference(const Difference& difference, std::ostream& out) {
  const std::string place = difference.step.empty() ? std::string() : fmt::format("step {}, ", Shown(difference.step));
  out << fmt::format("  {} {}{} (entry {} | {})\n", difference.reason->id, place, Shown(difference.what),
                     Entry(difference.recorded_entry), Entry(difference.replayed_entry));
  const auto lines = [](const std::string& text) {
    return room::WrapText(text.empty() ? "(nothing)" : Shown(text), kColumn);
  };
  const std::vector<std::string> then = lines(difference.recorded);
  const std::vector<std::string> now = lines(difference.replayed);
  for (std::size_t i = 0; i < std::max(then.size(), now.size()); ++i) {
    const std::string left = i < then.size() ? then[i] : "";
    const std::string right = i < now.size() ? now[i] : "";
    out << "    " << Padded(left) << " | " << right << "\n";
  }
}

void PrintDifferences(const Report& report, bool expected, std::ostream& out) {
  for (const Difference& difference : report.comparison.differences) {
    if (difference.reason->expected == expected) PrintDifference(difference, out);
  }
}

std::size_t CountOf(const Report& report, const replay::Reason& reason) {
  if (reason.id == "REPLAY-NAME-01") return report.comparison.names;
  if (reason.id == "REPLAY-TIME-01") return report.comparison.times;
  return static_cast<std::size_t>(std::ranges::count(report.comparison.differences, &reason, &Difference::reason));
}

std::string Sentence(const Report& report) {
  switch (report.verdict) {
    case replay::Verdict::kSame:
      return "the script, acted again, does what the record says, and nothing else";
    case replay::Verdict::kDiffers:
      return base::Counted(report.comparison.CountUnexpected(), "difference", "differences") + " that nothing explains";
    case replay::Verdict::kIncomplete:
      break;
  }
  return "the same as far as it went; SoftHSM could not go on";
}

void Print(const Report& report, std::ostream& out) {
  const replay::Comparison& comparison = report.comparison;
  out << fmt::format("{}: {}\n\n", replay::NameOf(report.verdict), Sentence(report));
  out << fmt::format("  record      {}, {}\n", Shown(report.record), report.record_verdict);
  for (const std::string& before : report.before) out << fmt::format("  acted first {}\n", Shown(before));
  out << fmt::format("  compared    {}, {}, {}\n", base::Counted(comparison.entries, "entry", "entries"),
                     base::Counted(comparison.calls, "call", "calls"),
                     base::Counted(comparison.artefacts, "file", "files"));
  if (report.stop)
    out << fmt::format("  stopped     {}: {}\n",
                       Shown(report.stop->step.empty() ? "at the beginning" : report.stop->step),
                       Shown(report.stop->message));
  out << fmt::format("\n  {:<28} {:<20} {:>5} {:>7} {:>6}  {}\n", "step", "kind", "tries", "entries", "calls",
                     "result");
  for (const replay::ComparedStep& step : comparison.steps) {
    if (step.id.empty()) continue;
    const std::string tries = step.recorded_tries == step.replayed_tries
                                  ? std::to_string(step.recorded_tries)
                                  : fmt::format("{}|{}", step.recorded_tries, step.replayed_tries);
    out << fmt::format("  {:<28} {:<20} {:>5} {:>7} {:>6}  {}\n", Shown(step.id), Shown(step.kind), tries, step.entries,
                       step.calls,
                       step.unexpected > 0 ? "DIFFERS"
                       : step.expected > 0 ? "the same, see below"
                                           : "the same");
  }
  if (comparison.CountUnexpected() > 0) {
    out << "\nDifferences that nothing explains\n    " << Padded("recorded") << " | replayed\n";
    PrintDifferences(report, false, out);
  }
  if (comparison.CountExpected() > 0) {
    out << "\nDifferences that were to be expected\n    " << Padded("recorded") << " | replayed\n";
    PrintDifferences(report, true, out);
  }
  out << "\nWhy\n";
  for (const replay::Reason& reason : replay::Reasons()) {
    const std::size_t count = CountOf(report, reason);
    if (count == 0) continue;
    for (const std::string& line : room::WrapText(fmt::format("{} x{}: {}", reason.id, count, reason.why), 96))
      out << "  " << line << "\n";
  }
}

ordered_json ToJson(const Report& report) {
  const auto entry = [](const std::optional<std::uint64_t>& seq) {
    return seq ? ordered_json(*seq) : ordered_json(nullptr);
  };
  ordered_json differences = ordered_json::array(), steps = ordered_json::array(), reasons = ordered_json::array();
  for (const Difference& difference : report.comparison.differences) {
    differences.push_back({{"reason", difference.reason->id},
                           {"expected", difference.reason->expected},
                           {"step", difference.step},
                           {"attempt", difference.attempt},
                           {"what", difference.what},
                           {"recorded", difference.recorded},
                           {"replayed", difference.replayed},
                           {"recorded_entry", entry(difference.recorded_entry)},
                           {"replayed_entry", entry(difference.replayed_entry)}});
  }
  for (const replay::ComparedStep& step : report.comparison.steps) {
    if (step.id.empty()) continue;
    steps.push_back({{"id", step.id},
                     {"do", step.kind},
                     {"tries", {{"recorded", step.recorded_tries}, {"replayed", step.replayed_tries}}},
                     {"entries", step.entries},
                     {"calls", step.calls},
                     {"unexpected", step.unexpected},
                     {"expected", step.expected}});
  }
  for (const replay::Reason& reason : replay::Reasons()) {
    if (const std::size_t count = CountOf(report, reason); count > 0)
      reasons.push_back({{"id", reason.id}, {"expected", reason.expected}, {"count", count}, {"why", reason.why}});
  }
  return {{"verdict", replay::NameOf(report.verdict)},
          {"record", report.record},
          {"record_verdict", report.record_verdict},
          {"acted_first", report.before},
          {"entries", report.comparison.entries},
          {"calls", report.comparison.calls},
          {"artefacts", report.comparison.artefacts},
          {"stopped", report.stop ? ordered_json{{"step", report.stop->step}, {"message", report.stop->message}}
                                  : ordered_json(nullptr)},
          {"steps", std::move(steps)},
          {"differences", std::move(differences)},
          {"reasons", std::move(reasons)}};
}

base::Result<int> ReplayRecord(const Arguments& arguments, const Streams& streams) {
  const room::SignalScope signals;
  hsm::IgnoreBrokenPipes();
  KC_RETURN_IF_ERROR(RequireRecord(arguments.record, "one record is acted again", "name one of its folders"));
  KC_ASSIGN_OR_RETURN(const Stage stage, Stage::Make(arguments.keep));
  base::Result<Report> replayed = replay::Replay(arguments.record, stage.path(), hsm::Module::Load);
  if (!replayed.ok()) return InItsStage(std::move(replayed).error(), stage);
  const Report report = std::move(replayed).value();
  if (arguments.json) {
    streams.out << ToJson(report).dump(-1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
  } else {
    Print(report, streams.out);
  }
  switch (report.verdict) {
    case replay::Verdict::kSame:
      return kExitDone;
    case replay::Verdict::kDiffers:
      return kExitFinding;
    case replay::Verdict::kIncomplete:
      break;
  }
  return kExitIncomplete;
}

}  // namespace

void AddReplay(CLI::App& program, Action& chosen) {
  CLI::App* command =
      program.add_subcommand("replay", "act a record again on fresh SoftHSM tokens, and compare call by call");
  command->group(kLook);
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("record", arguments->record, "the folder of a record, in its archive")
      ->required()
      ->type_name("RECORD");
  command->add_option("--keep", arguments->keep, "act in this new folder, and leave everything there")
      ->type_name("FOLDER");
  command->add_flag("--json", arguments->json, "print one JSON object");
  WhenChosen(*command, chosen, arguments, ReplayRecord);
}

}  // namespace ceremony::cli
