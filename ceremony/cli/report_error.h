// How an error is told: stderr, in lines that begin with the program's name.
//
//   keyceremony: error: root.json:3:7: /steps/0: unknown field `tokn` [INPUT-01]
//   keyceremony: hint: did you mean `token`?
#ifndef CEREMONY_CLI_REPORT_ERROR_H_
#define CEREMONY_CLI_REPORT_ERROR_H_

#include <iosfwd>

#include "hsm/base/result.h"

namespace ceremony::cli {

// ReportError writes the error, its rule id in brackets, and its hint, and
// returns the exit status. A message of several lines has the prefix on each.
// Control characters are spelled out, since messages quote labels of tokens.
// For a bug (kInternal) it also says what to send to whom.
int ReportError(const base::Error& error, std::ostream& err);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_REPORT_ERROR_H_
