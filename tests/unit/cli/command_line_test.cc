#include "ceremony/cli/command_line.h"

#include <doctest/doctest.h>

#include <sstream>
#include <streambuf>
#include <vector>

#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/report_error.h"

using base::ErrorCode;
using ceremony::cli::ExitStatusOf;
using ceremony::cli::ReportError;
using ceremony::cli::RunCommandLine;

namespace {

struct Outcome {
  int status;
  std::string out;
  std::string err;
};

Outcome Run(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "keyceremony");
  std::ostringstream out;
  std::ostringstream err;
  const int status = RunCommandLine(static_cast<int>(arguments.size()), arguments.data(), out, err);
  return {status, out.str(), err.str()};
}

// A stream whose disk is full.
class FullDisk final : public std::streambuf {
  int overflow(int) override { return traits_type::eof(); }
};

}  // namespace

TEST_CASE("each error has the exit status of the contract") {
  CHECK(ExitStatusOf(ErrorCode::kInvalidInput) == 2);
  CHECK(ExitStatusOf(ErrorCode::kNotFound) == 2);
  CHECK(ExitStatusOf(ErrorCode::kAmbiguous) == 3);
  CHECK(ExitStatusOf(ErrorCode::kRefused) == 1);
  CHECK(ExitStatusOf(ErrorCode::kToken) == 3);
  CHECK(ExitStatusOf(ErrorCode::kIo) == 4);
  CHECK(ExitStatusOf(ErrorCode::kAborted) == 5);
  CHECK(ExitStatusOf(ErrorCode::kNoQuorum) == 5);
  CHECK(ExitStatusOf(ErrorCode::kCorrupt) == 1);
  CHECK(ExitStatusOf(ErrorCode::kUnsupported) == 3);
  CHECK(ExitStatusOf(ErrorCode::kInternal) == 70);
}

TEST_CASE("an error is told with its rule and its hint") {
  std::ostringstream err;
  CHECK(ReportError(base::Refusal("KEY-ATTR-02", "key root may be extracted", "state CKA_EXTRACTABLE=false"), err) ==
        1);
  CHECK(err.str() ==
        "keyceremony: error: key root may be extracted [KEY-ATTR-02]\n"
        "keyceremony: hint: state CKA_EXTRACTABLE=false\n");
}

TEST_CASE("an error of several lines has the prefix on each, and nothing that a terminal obeys") {
  std::ostringstream err;
  ReportError(base::MakeError(ErrorCode::kInvalidInput, "a.json:1:1: x\x1b[2J\na.json:2:1: y").WithRule("INPUT-01"),
              err);
  CHECK(err.str() ==
        "keyceremony: error: a.json:1:1: x\\x1b[2J [INPUT-01]\n"
        "keyceremony: error: a.json:2:1: y\n");
}

TEST_CASE("a bug says that it is one and what to send") {
  std::ostringstream err;
  CHECK(ReportError(base::MakeError(ErrorCode::kInternal, "the call numbers do not join"), err) == 70);
  CHECK(err.str().find("keyceremony: error: the call numbers do not join\n"
                       "keyceremony: hint: this is a bug in keyceremony ") == 0);
}

TEST_CASE("help and version are results, not errors") {
  for (const std::vector<const char*>& arguments : std::vector<std::vector<const char*>>{
           {"--help"}, {"-h"}, {"token", "--help"}, {"token", "list", "--help"}, {"verify", "--help"}, {"--version"}}) {
    const Outcome outcome = Run(arguments);
    CHECK(outcome.status == 0);
    CHECK_FALSE(outcome.out.empty());
    CHECK(outcome.err.empty());
  }
}

TEST_CASE("wrong usage is told with the nearest thing that is right") {
  CHECK(Run({}).err ==
        "keyceremony: error: keyceremony needs the name of a command\n"
        "keyceremony: hint: `keyceremony --help` says what it takes\n");
  CHECK(Run({"verfy"}).err ==
        "keyceremony: error: keyceremony has no command `verfy`\n"
        "keyceremony: hint: did you mean `keyceremony verify`?\n");
  CHECK(Run({"token", "lst"}).err ==
        "keyceremony: error: keyceremony token has no command `lst`\n"
        "keyceremony: hint: did you mean `keyceremony token list`?\n");
  CHECK(Run({"token", "list", "--modul", "x"}).err ==
        "keyceremony: error: the following arguments were not expected: x --modul\n"
        "keyceremony: hint: `keyceremony token list --help` says what it takes\n");
  for (const std::vector<const char*>& arguments : std::vector<std::vector<const char*>>{
           {}, {"verfy"}, {"--jsn"}, {"token"}, {"verify"}, {"verify", "a", "b"}, {""}}) {
    const Outcome outcome = Run(arguments);
    CHECK(outcome.status == 2);
    CHECK(outcome.out.empty());
  }
}

TEST_CASE("a result that cannot be written is exit 4") {
  FullDisk disk;
  std::ostream out(&disk);
  std::ostringstream err;
  const char* const arguments[] = {"keyceremony", "--help"};
  CHECK(RunCommandLine(2, arguments, out, err) == 4);
  CHECK(err.str().find("keyceremony: error: standard output: ") == 0);
}

TEST_CASE("an exception that nobody expected is a bug, and does not leave the program") {
  class Thrower final : public std::streambuf {
    int overflow(int) override { throw std::runtime_error("boo"); }
    int sync() override { return 0; }
  };
  Thrower thrower;
  std::ostream out(&thrower);
  out.exceptions(std::ios::badbit);
  std::ostringstream err;
  const char* const arguments[] = {"keyceremony", "--version"};
  CHECK(RunCommandLine(2, arguments, out, err) == 70);
  CHECK(err.str().find("keyceremony: error: unexpected exception: boo\n") == 0);
}
