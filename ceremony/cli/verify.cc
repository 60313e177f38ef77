#include <CLI/CLI.hpp>
#include <memory>

#include "ceremony/cli/command.h"
#include "ceremony/verify/command.h"

namespace ceremony::cli {

void AddVerify(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("verify", "give the verdict on a record or an archive");
  command->group(kLook);
  const auto arguments = std::make_shared<verify::VerifyArguments>();
  verify::DescribeArguments(*command, *arguments);
  command->callback([arguments, &chosen] {
    chosen = [arguments](const Streams& streams) -> base::Result<int> {
      return verify::VerifyCommand(*arguments, "keyceremony", streams.out, streams.err);
    };
  });
}

}  // namespace ceremony::cli
