// Stage sets up what a ceremony needs when it is started from the command line:
// terminal, clock, disk, PINs, credentials. At the end it reports the outcome.
#ifndef CEREMONY_CLI_STAGE_H_
#define CEREMONY_CLI_STAGE_H_

#include <functional>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "ceremony/cli/command.h"
#include "ceremony/run/program.h"
#include "ceremony/run/start.h"
#include "ceremony/run/world.h"
#include "ceremony/script/fault_file.h"
#include "ceremony/script/inputs.h"
#include "hsm/base/result.h"

namespace ceremony::cli {

// Company says who answers: people at the terminal, or simulated people.
enum class Company : std::uint8_t { kPeople, kUnattended };

struct StageOptions {
  std::string archive;
  Company company = Company::kPeople;
  bool quiet = false;  // kUnattended: no transcript on standard output
  // A rehearsal's bad days; nullptr: none.
  const script::FaultFile* faults = nullptr;
  // Begun with the command, so that it is ready when the record is opened.
  std::shared_future<base::Result<nlohmann::json>> program = run::DescribeProgramAside();
};

// CheckCompany fails (kInvalidInput) if people are to answer and standard input is not a terminal. Call it before
// anything is made; Perform checks again.
base::Result<void> CheckCompany(Company company);

// Perform calls `play` with a World for these inputs and reports its end. When
// the record that `folder` names (set by `play`) is complete, it is verified
// with the roster it was run with. kInvalidInput when people are asked for and
// there is no terminal.
base::Result<int> Perform(const StageOptions& options, const script::Inputs& inputs, const Streams& streams,
                          std::string& folder, const std::function<base::Result<run::Ended>(run::World&)>& play);

// IsRehearsal tells whether what is done counts for nothing.
bool IsRehearsal(const script::Inputs& inputs);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_STAGE_H_
