// What `run` and a rehearsal with people of their own have in common: roster and binding are the operator's, people at
// the terminal answer, and type PINs and passphrases.
#ifndef CEREMONY_CLI_HOLD_H_
#define CEREMONY_CLI_HOLD_H_

#include <string>

#include "ceremony/cli/command.h"
#include "ceremony/script/inputs.h"
#include "hsm/base/result.h"

namespace ceremony::cli {

struct HoldArguments {
  std::string script;
  std::string binding;
  std::string roster;  // empty: roster.json beside the binding
  std::string archive;
  std::string checkpoint;
  std::string leave_behind;
};

base::Result<script::Inputs> ReadOwnInputs(const HoldArguments& arguments);

// Hold makes the archive when there is none, and holds the ceremony in it. It refuses an archive of the other mode
// (ARCHIVE-MODE-01), and a rehearsal in one whose rehearsals have stand-ins (REHEARSAL-OWN-01).
base::Result<int> Hold(const HoldArguments& arguments, const script::Inputs& inputs, const Streams& streams);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_HOLD_H_
