#include <CLI/CLI.hpp>
#include <memory>

#include "ceremony/cli/command.h"
#include "ceremony/verify/command.h"

namespace ceremony::cli {
namespace {

base::Result<int> Verify(const verify::VerifyArguments& arguments, const Streams& streams) {
  return verify::VerifyCommand(arguments, "keyceremony", streams.out, streams.err);
}

}  // namespace

void AddVerify(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("verify", "give the verdict on a record or an archive");
  command->group(kLook);
  const auto arguments = std::make_shared<verify::VerifyArguments>();
  verify::DescribeArguments(*command, *arguments);
  WhenChosen(*command, chosen, arguments, Verify);
}

}  // namespace ceremony::cli
