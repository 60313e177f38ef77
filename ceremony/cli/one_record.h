// Shared by the commands that look at one record: the trusted roster, and a check of the folder.
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

// RequireArchive fails for what is no folder, and for the folder of a record (kInvalidInput), and for one without any
// record in it (kNotFound).
base::Result<void> RequireArchive(const std::string& folder);

// RequireRecord fails with kInvalidInput for the folder of an archive: `why` is a reason such as "a report is of one
// record", and `hint` says where to look instead. It fails with kNotFound for a folder without a log.
base::Result<void> RequireRecord(const std::string& folder, const std::string& why, const std::string& hint);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_ONE_RECORD_H_
