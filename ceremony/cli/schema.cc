#include "ceremony/script/schema.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "ceremony/cli/command.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/steps/catalogue.h"

namespace ceremony::cli {
namespace {

base::Result<int> PrintSchema(const std::string& kind, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(const std::string schema, script::GenerateSchema(kind, steps::Catalogue()));
  streams.out << schema;
  return kExitDone;
}

}  // namespace

void AddSchema(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("schema", "print the JSON Schema of an input file");
  command->group(kPrepare);
  const auto kind = std::make_shared<std::string>();
  std::string kinds;
  for (const std::string& each : script::FileKinds()) kinds += (kinds.empty() ? "" : ", ") + each;
  command->add_option("kind", *kind, "what kind of file: " + kinds)->required()->type_name("KIND");
  WhenChosen(*command, chosen, kind, PrintSchema);
}

}  // namespace ceremony::cli
