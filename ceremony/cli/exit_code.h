// The exit status of each error: the contract of the man page.
#ifndef CEREMONY_CLI_EXIT_CODE_H_
#define CEREMONY_CLI_EXIT_CODE_H_

#include "hsm/base/result.h"

namespace ceremony::cli {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFinding = 1;     // a finding, a refusal, a ceremony that failed
inline constexpr int kExitUsage = 2;       // wrong usage, or an input that is not what it must be
inline constexpr int kExitToken = 3;       // a token refused, failed or is missing
inline constexpr int kExitOutput = 4;      // a record or an output cannot be read or written
inline constexpr int kExitAborted = 5;     // stopped by people or a signal, or no quorum
inline constexpr int kExitIncomplete = 6;  // this and the next two are verdicts; `replay` has this one, too
inline constexpr int kExitUnpinned = 7;
inline constexpr int kExitFork = 8;
inline constexpr int kExitBug = 70;  // EX_SOFTWARE of sysexits.h

// ExitStatusOf is the one place that turns an error into an exit status. A
// missing token is kToken by the time it comes here: kNotFound is a file.
int ExitStatusOf(base::ErrorCode code);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_EXIT_CODE_H_
