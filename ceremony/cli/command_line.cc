#include "ceremony/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <iterator>
#include <memory>
#include <new>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/cli/command.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/fleet_commands.h"
#include "ceremony/cli/report_error.h"
#include "ceremony/script/problems.h"
#include "ceremony/verify/given_values.h"

namespace ceremony::cli {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;

constexpr const char* kFooter =
    "`keyceremony COMMAND --help` says what a command takes.\n"
    "Exit status: 0 done, 1 finding or failed ceremony, 2 usage or bad input, 3 token,\n"
    "4 record or output, 5 stopped or no quorum, 6 INCOMPLETE, 7 UNPINNED, 8 FORK, 70 bug.";

// Help says what an option takes; which others it goes with is said when they do not.
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() {
    column_width(34);
    label("SUBCOMMAND", "COMMAND");
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string type = option->get_type_name();
    return type.empty() ? type : ' ' + type + (option->get_expected_max() > 1 ? "..." : "");
  }
};

std::string LowerCase(std::string text) {
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && !(text[1] >= 'A' && text[1] <= 'Z')) {
    text[0] = static_cast<char>(text[0] + 32);
  }
  while (!text.empty() && (text.back() == '.' || text.back() == '\n')) text.pop_back();
  return text;
}

// The innermost command that was named: its --help is the one to recommend.
const CLI::App& Innermost(const CLI::App& app) {
  const std::vector<CLI::App*> named = app.get_subcommands();
  return named.empty() ? app : Innermost(*named.front());
}

std::string FullName(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : FullName(*parent) + ' ' + app.get_name();
}

base::Error UsageError(const CLI::App& program, const CLI::ParseError& error,
                       const std::vector<std::string>& arguments) {
  const CLI::App& app = Innermost(program);
  const std::string name = FullName(app);
  const std::string help = "`" + name + " --help` says what it takes";
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    commands.push_back(command->get_name());
  }
  if (commands.empty()) return MakeError(ErrorCode::kInvalidInput, LowerCase(error.what())).WithHint(help);
  // A command is missing or unknown: CLI11 would speak of an argument that was not expected.
  const std::size_t depth = app.get_parent() == nullptr ? 0 : 1;
  if (arguments.size() <= depth) {
    return MakeError(ErrorCode::kInvalidInput, name + " needs the name of a command").WithHint(help);
  }
  const std::string& found = arguments[depth];
  if (found.starts_with("-")) return MakeError(ErrorCode::kInvalidInput, LowerCase(error.what())).WithHint(help);
  const std::string nearest = script::NearestName(found, commands);
  return MakeError(ErrorCode::kInvalidInput, name + " has no command `" + found + "`")
      .WithHint(nearest.empty() ? help : "did you mean `" + name + ' ' + nearest + "`?");
}

// Writes the whole result at once, and says whether it has left this process: a
// stream that failed in the middle has forgotten why.
Result<void> Deliver(const std::string& result, std::ostream& out) {
  errno = 0;
  out << result << std::flush;
  if (out.good()) return {};
  base::Error error = base::SystemError("write", "standard output", errno == 0 ? EIO : errno);
  error.code = ErrorCode::kIo;
  error.hint = "the result is not whole: free space, or write it somewhere else";
  return error;
}

struct Commands {
  std::array<std::string_view, 3> names;
  void (*add)(CLI::App& program, Action& chosen);
};
// In the order in which `--help` lists them.
constexpr Commands kCommands[] = {{{"check"}, AddCheck},
                                  {{"schema"}, AddSchema},
                                  {{"rehearse"}, AddRehearse},
                                  {{"token"}, AddTokenList},
                                  {{"custodian"}, AddCustodian},
                                  {{"run"}, AddRun},
                                  {{"resume"}, AddResume},
                                  {{"status"}, AddStatus},
                                  {{"compare"}, AddCompare},
                                  {{"verify"}, AddVerify},
                                  {{"replay"}, AddReplay},
                                  {{"lint"}, AddLint},
                                  {{"normalise"}, AddNormalise},
                                  {{"show"}, AddShow},
                                  {{"report"}, AddReport},
                                  {{"booklet"}, AddBooklet},
                                  {{"inventory"}, AddInventory},
                                  {{"destruction"}, AddDestruction},
                                  {{"proof", "tiles", "stamp"}, AddProof},
                                  {{"redact"}, AddRedact},
                                  {{"restore"}, AddRestore}};

// AddCommands adds only the command that is asked for; all of them for a help or an unknown name.
// Adding all commands costs 15% of a `check`.
void AddCommands(CLI::App& program, std::string_view asked, Action& chosen) {
  const auto* const found = std::ranges::find_if(kCommands, [&](const Commands& each) {
    return !asked.empty() && std::ranges::find(each.names, asked) != each.names.end();
  });
  if (found != std::end(kCommands)) return found->add(program, chosen);
  for (const Commands& each : kCommands) each.add(program, chosen);
}

Result<int> RunParsed(int argc, const char* const* argv, const Streams& streams) {
  CLI::App program("Scripted key ceremonies on PKCS#11 tokens, with a record that proves itself.", "keyceremony");
  program.set_version_flag("--version", "keyceremony " KEYCEREMONY_VERSION, "print the version and exit");
  program.set_help_flag("-h,--help", "print this help and exit");
  program.require_subcommand(1);
  program.formatter(std::make_shared<HelpFormatter>());
  program.footer(kFooter);

  Action chosen;
  AddCommands(program, argc > 1 ? argv[1] : "", chosen);

  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    streams.out << program.help();
    return kExitDone;
  } catch (const CLI::CallForVersion& version) {
    streams.out << version.what() << '\n';
    return kExitDone;
  } catch (const CLI::ParseError& error) {
    return UsageError(program, error, {argv + 1, argv + argc});
  }
  KC_RETURN_IF_ERROR(verify::CheckGivenValues(program));
  return chosen(streams);
}

// Guarded turns an exception that nobody expected into an error.
template <typename Function>
auto Guarded(Function function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return MakeError(ErrorCode::kInternal, "out of memory");
  } catch (const std::exception& unexpected) {
    return MakeError(ErrorCode::kInternal, std::string("unexpected exception: ") + unexpected.what());
  } catch (...) {
    return MakeError(ErrorCode::kInternal, "unexpected exception of an unknown type");
  }
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  std::ostringstream result;
  const Result<int> done = Guarded([&] { return RunParsed(argc, argv, {result, err, out}); });
  const int status = done.ok() ? *done : ReportError(done.error(), err);
  if (!done.ok() && result.view().empty()) return status;  // nothing to deliver, and why is told
  const Result<void> delivered = Guarded([&] { return Deliver(result.str(), out); });
  if (delivered.ok()) return status;
  const int undelivered = ReportError(delivered.error(), err);
  // An error that was reported before keeps its status; a result that nobody can read does not.
  const bool is_result =
      status == kExitDone || status == kExitFinding || (status >= kExitIncomplete && status <= kExitFork);
  return is_result ? undelivered : status;
}

}  // namespace ceremony::cli
