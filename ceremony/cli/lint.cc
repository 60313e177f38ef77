#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <thread>

#include "ceremony/cli/command.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/lint_output.h"
#include "ceremony/cli/report_error.h"
#include "ceremony/room/look.h"
#include "ceremony/script/profile.h"
#include "ceremony/x509/bulk_lint.h"

namespace ceremony::cli {
namespace {

constexpr unsigned kMostJobs = 64;
constexpr unsigned kMostJobsBySelf = 4;

struct Arguments {
  std::vector<std::string> inputs;
  std::string profile;
  std::string domain = "policy";
  unsigned jobs = 0;  // 0: as many as the machine runs at once
  bool json = false;
  bool csv = false;
  bool set = false;
  bool alone = false;
  bool rules = false;
};

class Sink final : public x509::BulkSink {
 public:
  Sink(const std::vector<std::string>& files, LintWriter& writer, const Streams& streams)
      : files_(files), writer_(writer), streams_(streams), shows_(room::LookOf(STDERR_FILENO).rewrites_line) {}

  void Item(const x509::BulkItem& item) override {
    tally_.Add(item);
    if (item.findings.empty()) return;
    Wipe();
    writer_.Item(NameOf(item.file), item);
  }

  void Unreadable(std::uint32_t file, const base::Error& error) override {
    Wipe();
    ++tally_.unreadable;
    writer_.Unreadable(NameOf(file), error);
    ReportError(error, streams_.err);
  }

  void Progress(std::uint64_t items, std::uint64_t octets) override {
    if (!shows_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - shown_at_ < std::chrono::milliseconds(200)) return;
    shown_at_ = now;
    streams_.err << fmt::format("\r{} certificates, {} MB, {} findings\x1b[K", items, octets / 1'000'000,
                                tally_.findings)
                 << std::flush;
    drawn_ = true;
  }

  bool Stop() override { return !streams_.live.good(); }

  // Wipe takes the progress line away, so that what comes next has the line to itself.
  void Wipe() {
    if (drawn_) streams_.err << "\r\x1b[K" << std::flush;
    drawn_ = false;
  }

  const LintTally& tally() const { return tally_; }

 private:
  std::string NameOf(std::uint32_t file) const {
    return files_[file] == "-" ? "(standard input)"
                               : room::Visible(files_[file], room::Charset::kUtf8, room::LineFeeds::kSpell);
  }

  const std::vector<std::string>& files_;
  LintWriter& writer_;
  const Streams& streams_;
  LintTally tally_;
  std::chrono::steady_clock::time_point shown_at_ = std::chrono::steady_clock::now();
  bool shows_;
  bool drawn_ = false;
};

// The table of docs/lint.md is this, and a test holds it to that.
void PrintRules(bool json, std::ostream& out) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const x509::Rule& rule : x509::Rules()) {
    if (json) {
      list.push_back({{"id", rule.id},
                      {"severity", x509::SeverityName(rule.severity)},
                      {"clause", rule.clause},
                      {"rule", rule.title}});
    } else {
      out << fmt::format("{:<20} {:<14} {} ({})\n", rule.id, x509::SeverityName(rule.severity), rule.title,
                         rule.clause);
    }
  }
  if (json) out << nlohmann::ordered_json{{"rules", std::move(list)}}.dump() << '\n';
}

base::Result<int> Lint(const Arguments& arguments, const Streams& streams) {
  if (arguments.rules) {
    PrintRules(arguments.json, streams.out);
    return kExitDone;
  }
  if (arguments.inputs.empty())
    return base::MakeError(base::ErrorCode::kInvalidInput, "lint needs a file, a folder or - to read")
        .WithHint("`keyceremony lint --help` says what it takes");

  x509::BulkOptions options;
  options.jobs =
      arguments.jobs != 0 ? arguments.jobs : std::clamp(std::thread::hardware_concurrency(), 1U, kMostJobsBySelf);
  options.set_rules = arguments.set     ? x509::SetRules::kAlways
                      : arguments.alone ? x509::SetRules::kNever
                                        : x509::SetRules::kUpToMost;
  options.domain = arguments.domain == "smki"     ? x509::Domain::kSmki
                   : arguments.domain == "webpki" ? x509::Domain::kWebPki
                   : arguments.domain == "none"   ? x509::Domain::kNone
                                                  : x509::Domain::kByPolicy;
  std::optional<script::ProfileFile> profile;
  if (!arguments.profile.empty()) {
    KC_ASSIGN_OR_RETURN(profile, script::ReadProfile(arguments.profile));
    options.profile = &profile->profile;
  }
  const std::vector<std::string> files = x509::ListFiles(arguments.inputs);
  if (files.empty()) {
    return base::MakeError(base::ErrorCode::kInvalidInput, "there is no file in what was given: nothing was judged")
        .WithHint("give files, or a folder that has some");
  }
  const LintFormat format = arguments.json ? LintFormat::kJson : arguments.csv ? LintFormat::kCsv : LintFormat::kText;
  const std::unique_ptr<LintWriter> writer = MakeLintWriter(format, streams.live);
  Sink sink(files, *writer, streams);
  errno = 0;
  writer->Begin();
  const auto outcome = x509::BulkLint(files, options, sink);
  sink.Wipe();
  if (!outcome) return outcome.error();
  writer->End(sink.tally(), files.size(), outcome->set_rules);
  streams.live.flush();
  if (!streams.live.good()) {
    base::Error error = base::SystemError("write", "standard output", errno == 0 ? EIO : errno);
    error.code = base::ErrorCode::kIo;
    error.hint = "the result is not whole: free space, or write it somewhere else";
    return error;
  }
  if (sink.tally().unreadable > 0) return kExitUsage;
  return sink.tally().findings > 0 ? kExitFinding : kExitDone;
}

}  // namespace

void AddLint(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("lint", "hold certificates and CRLs to X.690, RFC 5280 and a profile");
  command->group(kLook);
  const auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("input", arguments->inputs, "DER, PEM, several in one file, or folders of them; - is standard input")
      ->type_name("FILE|FOLDER");
  command->add_option("--profile", arguments->profile, "hold each certificate against this profile, too")
      ->type_name("PROFILE");
  command
      ->add_option("--domain", arguments->domain,
                   "rules of smart metering and of the public web: policy (for who names their policies), smki or "
                   "webpki (for all), none")
      ->check(CLI::IsMember({"policy", "smki", "webpki", "none"}))
      ->type_name("WHICH");
  CLI::Option* set = command->add_flag("--set", arguments->set,
                                       "hold certificates against each other even if they are more than 10000");
  command->add_flag("--alone", arguments->alone, "judge each certificate by itself")->excludes(set);
  command->add_option("--jobs", arguments->jobs, "threads that lint; by itself as many as there are cores, up to 4")
      ->check(CLI::Range(1U, kMostJobs))
      ->type_name("N");
  CLI::Option* json = command->add_flag("--json", arguments->json, "print one JSON object");
  command->add_flag("--rules", arguments->rules, "print all rules instead");
  command->add_flag("--csv", arguments->csv, "print one line for each finding, for a spreadsheet")->excludes(json);
  WhenChosen(*command, chosen, arguments, Lint);
}

}  // namespace ceremony::cli
