#include "ceremony/verify/command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <ostream>
#include <thread>

#include "ceremony/record/trust.h"
#include "ceremony/record/verify.h"
#include "ceremony/verify/print.h"

namespace ceremony::verify {
namespace {

using base::ErrorCode;
using base::Result;

constexpr int kUsage = 2;
constexpr int kUnreadable = 4;
constexpr unsigned kMaxThreads = 64;
constexpr std::size_t kMaxCheckpointBytes = 1u << 20;

int Report(const base::Error& error, const std::string& program, std::ostream& err) {
  err << program << ": error: " << error.message << "\n";
  if (!error.hint.empty()) err << program << ": hint: " << error.hint << "\n";
  return error.code == ErrorCode::kIo || error.code == ErrorCode::kNotFound ? kUnreadable : kUsage;
}

Result<std::string> ReadCheckpoint(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxCheckpointBytes + 1, '\0');
  if (!file) {
    return base::MakeError(ErrorCode::kIo, "cannot read checkpoint " + path + ": " + std::strerror(errno));
  }
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad() || text.size() > kMaxCheckpointBytes) {
    return base::MakeError(ErrorCode::kInvalidInput,
                           path + " is no checkpoint: it cannot be read or is larger than 1 MiB");
  }
  return text;
}

unsigned ThreadsOf(const VerifyArguments& arguments) {
  if (arguments.threads != 0) return std::min(arguments.threads, kMaxThreads);
  return std::clamp(std::thread::hardware_concurrency(), 1u, 4u);
}

}  // namespace

void DescribeArguments(CLI::App& app, VerifyArguments& arguments) {
  app.add_option("path", arguments.path, "folder of a record, or of an archive of records")
      ->required()
      ->type_name("RECORD|ARCHIVE");
  app.add_option("--roster", arguments.roster,
                 "roster with the custodians' keys you trust; without it the best verdict is UNPINNED")
      ->type_name("FILE");
  app.add_option("--checkpoint", arguments.checkpoint,
                 "a signed checkpoint you kept from elsewhere; the record must extend it")
      ->type_name("FILE");
  app.add_flag("--json", arguments.json, "print one JSON object");
  app.add_option("--threads", arguments.threads, "threads to read a log with")
      ->check(CLI::Range(1u, kMaxThreads))
      ->type_name("N");
}

int VerifyCommand(const VerifyArguments& arguments, const std::string& program, std::ostream& out, std::ostream& err) {
  record::VerifyOptions options;
  options.threads = ThreadsOf(arguments);
  std::optional<record::Trust> trust;
  if (!arguments.roster.empty()) {
    Result<record::Trust> read = record::Trust::ReadRoster(arguments.roster);
    if (!read.ok()) {
      return Report(
          std::move(read).error().WithHint("give the roster that you trust, not one that came with the record"),
          program, err);
    }
    trust = std::move(read).value();
    options.trust = &*trust;
  }
  if (!arguments.checkpoint.empty()) {
    Result<std::string> note = ReadCheckpoint(arguments.checkpoint);
    if (!note.ok()) return Report(note.error(), program, err);
    options.checkpoint_note = std::move(note).value();
  }

  const Result<bool> archive = record::IsArchive(arguments.path);
  if (!archive.ok()) {
    return Report(base::Error(archive.error()).WithHint("give the folder of a record or of an archive"), program, err);
  }
  if (*archive) {
    const Result<record::ArchiveReport> report = record::VerifyArchive(arguments.path, options);
    if (!report.ok()) return Report(report.error(), program, err);
    arguments.json ? PrintArchiveJson(*report, out) : PrintArchive(*report, out);
    out.flush();
    return out.good() ? record::ExitStatusOf(report->verdict) : kUnreadable;
  }
  const Result<record::RecordReport> report = record::VerifyRecord(arguments.path, options);
  if (!report.ok()) return Report(report.error(), program, err);
  arguments.json ? PrintRecordJson(*report, out) : PrintRecord(*report, out);
  out.flush();
  return out.good() ? record::ExitStatusOf(report->verdict) : kUnreadable;
}

int RunProgram(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  const std::string program = "keyceremony-verify";
  CLI::App app("The verdict on a ceremony's record or on an archive of records.", program);
  app.set_version_flag("--version", program + " " KEYCEREMONY_VERSION);
  app.footer(
      "Exit status: 0 COMPLETE, 1 INVALID, 2 usage, 4 cannot be read, 6 INCOMPLETE,\n"
      "7 UNPINNED (complete, but no roster was given), 8 FORK.");
  VerifyArguments arguments;
  DescribeArguments(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    out << app.help();
    return 0;
  } catch (const CLI::CallForVersion& version) {
    out << version.what() << "\n";
    return 0;
  } catch (const CLI::ParseError& error) {
    err << program << ": error: " << error.what() << "\n"
        << program << ": hint: " << program << " --help says what it takes\n";
    return kUsage;
  }
  return VerifyCommand(arguments, program, out, err);
}

}  // namespace ceremony::verify
