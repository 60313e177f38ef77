// What the commands that look at one record share: whose keys are trusted, and that it is one.
#ifndef CEREMONY_CLI_ONE_RECORD_H_
#define CEREMONY_CLI_ONE_RECORD_H_

#include <optional>
#include <string>

#include "ceremony/cli/command.h"
#include "ceremony/record/trust.h"
#include "hsm/base/result.h"

namespace ceremony::cli {

// DescribeRoster adds --roster.
void DescribeRoster(CLI::App& command, std::string& path);
// ReadTrust reads the roster that --roster names; nothing when it was left out.
base::Result<std::optional<record::Trust>> ReadTrust(const std::string& path);

// RequireRecord fails for the folder of an archive (kInvalidInput; `why` is said of it, "a report is of one record",
// and the hint where to look instead), and for one that is none of a record, without any log (kNotFound).
base::Result<void> RequireRecord(const std::string& folder, const std::string& why, const std::string& hint);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_ONE_RECORD_H_
