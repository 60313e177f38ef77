// Documents are written as files that were not there before.
#ifndef CEREMONY_CLI_WRITE_PAGE_H_
#define CEREMONY_CLI_WRITE_PAGE_H_

#include <string>
#include <string_view>

#include "hsm/base/result.h"

namespace ceremony::cli {

// WritePage makes the file, whole and durable, or none. kInvalidInput when a file of that name is there; kIo otherwise.
base::Result<void> WritePage(const std::string& path, std::string_view page);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_WRITE_PAGE_H_
