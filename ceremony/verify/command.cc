#include "ceremony/verify/command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <optional>
#include <ostream>
#include <thread>

#include "ceremony/record/entry.h"
#include "ceremony/record/timestamp.h"
#include "ceremony/record/tlog_proof.h"
#include "ceremony/record/trust.h"
#include "ceremony/record/verify.h"
#include "ceremony/record/witness.h"
#include "ceremony/verify/explain.h"
#include "ceremony/verify/given_values.h"
#include "ceremony/verify/print.h"
#include "ceremony/verify/verify.h"
#include "hsm/base/file.h"

namespace ceremony::verify {
namespace {

using base::ErrorCode;
using base::Result;

constexpr int kUsage = 2;
constexpr int kUnreadable = 4;
constexpr unsigned kMaxThreads = 64;
constexpr std::size_t kMaxSmallBytes = 1u << 20;

int Report(const base::Error& error, const std::string& program, std::ostream& err) {
  err << program << ": error: " << Printable(error.message);
  if (!error.rule.empty()) err << " [" << error.rule << "]";
  err << "\n";
  if (!error.hint.empty()) err << program << ": hint: " << Printable(error.hint) << "\n";
  return error.code == ErrorCode::kIo || error.code == ErrorCode::kNotFound ? kUnreadable : kUsage;
}

// ReadSmallFile reads what the reader brings; `what` names it in messages.
Result<std::string> ReadSmallFile(const std::string& path, const std::string& what) {
  Result<std::string> text = base::ReadFile(path, kMaxSmallBytes);
  if (!text.ok()) return std::move(text).error().Prefixed(what);
  return text;
}

// Brought is what the reader has from elsewhere, in memory for as long as it is needed.
struct Brought {
  std::optional<record::Trust> trust;
  std::vector<record::WitnessKey> witnesses;
  record::StampToCheck stamp;
};

Result<void> Read(const VerifyArguments& arguments, Brought& brought, record::VerifyOptions& options) {
  if (!arguments.roster.empty()) {
    Result<record::Trust> read = record::Trust::ReadRoster(arguments.roster);
    if (!read.ok()) {
      return std::move(read).error().WithHint("give the roster that you trust, not one that came with the record");
    }
    brought.trust = std::move(read).value();
    options.trust = &*brought.trust;
  }
  if (!arguments.checkpoint.empty()) {
    KC_ASSIGN_OR_RETURN(options.checkpoint_note, ReadSmallFile(arguments.checkpoint, "checkpoint"));
  }
  if (!arguments.witness.empty()) {
    KC_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(arguments.witness, "file of witnesses"));
    KC_ASSIGN_OR_RETURN(brought.witnesses, record::WitnessKey::ParseAll(text));
    options.witnesses = &brought.witnesses;
  }
  if (!arguments.timestamp.empty()) {
    KC_ASSIGN_OR_RETURN(const std::string response, ReadSmallFile(arguments.timestamp, "time-stamp"));
    brought.stamp.response = base::ToBytes(base::AsBytes(response));
    KC_ASSIGN_OR_RETURN(brought.stamp.roots, ReadSmallFile(arguments.tsa, "file of certificates"));
    if (!arguments.request.empty()) {
      KC_ASSIGN_OR_RETURN(const std::string request, ReadSmallFile(arguments.request, "time-stamp request"));
      brought.stamp.request = base::ToBytes(base::AsBytes(request));
    }
    options.stamp = &brought.stamp;
  }
  return {};
}

int Done(std::ostream& out, record::Verdict verdict) {
  out.flush();
  return out.good() ? record::ExitStatusOf(verdict) : kUnreadable;
}

enum class PathKind : std::uint8_t { kRecord, kArchive, kProof };

Result<PathKind> KindOf(const std::string& path) {
  std::error_code unreadable;  // a folder that cannot be read is told of below
  if (std::filesystem::is_regular_file(path, unreadable)) return PathKind::kProof;
  const Result<bool> archive = record::IsArchive(path);
  if (!archive.ok()) return base::Error(archive.error()).WithHint("give the folder of a record or of an archive");
  if (*archive) return PathKind::kArchive;
  // What has lost a file is a record that is not whole. What has none of them never was one, and gets no verdict.
  const auto has = [&](std::string_view name) {
    return std::filesystem::exists(std::filesystem::path(path) / name, unreadable);
  };
  if (!has(record::kLogFile) && !has(record::kCheckpointFile) && !has(record::kAddendumFile)) {
    return base::MakeError(ErrorCode::kNotFound, fmt::format("{} holds no record", path))
        .WithHint("give the folder of a record or of an archive");
  }
  return PathKind::kRecord;
}

// CheckHonoured refuses an option that could not be looked at for a path of that kind: who gives it relies on it.
Result<void> CheckHonoured(const VerifyArguments& arguments, PathKind kind) {
  const auto unfit = [&](std::string_view option, std::string_view of) {
    return base::MakeError(ErrorCode::kInvalidInput,
                           fmt::format("{} is not looked at with {}, which {} is", option, of, arguments.path));
  };
  if (kind == PathKind::kProof) {
    constexpr std::string_view kAlone = "a proof";
    if (!arguments.checkpoint.empty()) return unfit("--checkpoint", kAlone);
    if (!arguments.timestamp.empty()) return unfit("--timestamp", kAlone);
    if (arguments.explain) return unfit("--explain", kAlone);
    return {};
  }
  if (!arguments.entry.empty()) {
    return unfit("--entry", "a folder").WithHint("`keyceremony proof` makes a proof of one entry");
  }
  if (kind == PathKind::kRecord) return {};
  if (arguments.explain) return unfit("--explain", "an archive").WithHint("give the folder of one record in it");
  if (!arguments.timestamp.empty() && arguments.checkpoint.empty()) {
    return unfit("--timestamp", "an archive alone")
        .WithHint("give the folder of the record that was stamped, or its checkpoint with --checkpoint");
  }
  return {};
}

int VerifyProofFile(const VerifyArguments& arguments, const record::Trust* trust, const std::string& program,
                    std::ostream& out, std::ostream& err) {
  const Result<std::string> text = ReadSmallFile(arguments.path, "proof");
  if (!text.ok()) return Report(text.error(), program, err);
  std::optional<std::string> line;
  if (!arguments.entry.empty()) {
    Result<std::string> read = ReadSmallFile(arguments.entry, "entry");
    if (!read.ok()) return Report(read.error(), program, err);
    line = std::move(read).value();
    if (line->ends_with('\n')) line->pop_back();
  }
  const Result<record::ProofReport> report = record::VerifyProof(*text, line, trust);
  if (!report.ok()) {
    return Report(base::Error(report.error()).WithHint("give the folder of a record or of an archive, or a tlog-proof"),
                  program, err);
  }
  arguments.json ? PrintProofJson(*report, out) : PrintProof(*report, out);
  return Done(out, report->verdict);
}

unsigned ThreadsOf(const VerifyArguments& arguments) {
  if (arguments.threads != 0) return std::min(arguments.threads, kMaxThreads);
  return std::clamp(std::thread::hardware_concurrency(), 1u, 4u);
}

}  // namespace

void DescribeArguments(CLI::App& app, VerifyArguments& arguments) {
  app.add_option("path", arguments.path, "folder of a record, of an archive of records or of a bundle; or a tlog-proof")
      ->required()
      ->type_name("RECORD|ARCHIVE|BUNDLE|PROOF");
  app.add_option("--roster", arguments.roster,
                 "roster with the custodians' keys you trust; without it the best verdict is UNPINNED")
      ->type_name("FILE");
  CLI::Option* const checkpoint =
      app.add_option("--checkpoint", arguments.checkpoint,
                     "a signed checkpoint you kept from elsewhere; the record must extend it")
          ->type_name("FILE");
  app.add_option("--witness", arguments.witness,
                 "keys of witnesses that must have cosigned that checkpoint, a vkey a line")
      ->type_name("FILE")
      ->needs(checkpoint);
  CLI::Option* const tsa =
      app.add_option("--tsa", arguments.tsa, "certificates (PEM) that you trust a time-stamp by")->type_name("FILE");
  CLI::Option* const stamp =
      app.add_option("--timestamp", arguments.timestamp, "a time-stamp response (RFC 3161) over the file `checkpoint`")
          ->type_name("FILE")
          ->needs(tsa);
  tsa->needs(stamp);
  app.add_option("--request", arguments.request, "the request that was made for it")->type_name("FILE")->needs(stamp);
  app.add_option("--entry", arguments.entry, "of a proof: the line that it is of, when it does not carry it")
      ->type_name("FILE");
  app.add_flag("--explain", arguments.explain, "say what was checked, and how to check it by hand");
  app.add_flag("--json", arguments.json, "print one JSON object");
  app.add_option("--threads", arguments.threads, "threads to read a log with")
      ->check(CLI::Range(1u, kMaxThreads))
      ->type_name("N");
}

int VerifyCommand(const VerifyArguments& arguments, const std::string& program, std::ostream& out, std::ostream& err) {
  const Result<PathKind> kind = KindOf(arguments.path);
  if (!kind.ok()) return Report(kind.error(), program, err);
  if (const Result<void> honoured = CheckHonoured(arguments, *kind); !honoured.ok()) {
    return Report(honoured.error(), program, err);
  }
  record::VerifyOptions options;
  options.threads = ThreadsOf(arguments);
  Brought brought;
  if (const Result<void> read = Read(arguments, brought, options); !read.ok()) {
    return Report(read.error(), program, err);
  }
  if (*kind == PathKind::kProof) return VerifyProofFile(arguments, options.trust, program, out, err);
  if (*kind == PathKind::kArchive) {
    const Result<record::ArchiveReport> report = verify::VerifyArchive(arguments.path, options);
    if (!report.ok()) return Report(report.error(), program, err);
    arguments.json ? PrintArchiveJson(*report, out) : PrintArchive(*report, out);
    return Done(out, report->verdict);
  }
  const auto judge = arguments.in_archive ? VerifyRecordInArchive : verify::VerifyRecord;
  const Result<record::RecordReport> report = judge(arguments.path, options);
  if (!report.ok()) return Report(report.error(), program, err);
  arguments.json ? PrintRecordJson(*report, out) : PrintRecord(*report, out);
  if (arguments.explain && !arguments.json) Explain(*report, arguments.path, arguments.roster, out);
  return Done(out, report->verdict);
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
    return Report(
        base::MakeError(ErrorCode::kInvalidInput, error.what()).WithHint(program + " --help says what it takes"),
        program, err);
  }
  if (const Result<void> given = CheckGivenValues(app); !given.ok()) return Report(given.error(), program, err);
  return VerifyCommand(arguments, program, out, err);
}

}  // namespace ceremony::verify
