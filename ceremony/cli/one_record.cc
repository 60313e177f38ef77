#include "ceremony/cli/one_record.h"

#include <CLI/CLI.hpp>

#include "ceremony/record/verify.h"

namespace ceremony::cli {

void DescribeRoster(CLI::App& command, std::string& path) {
  command.add_option("--roster", path, "people whose keys you trust; without it the best verdict is UNPINNED")
      ->type_name("FILE");
}

base::Result<std::optional<record::Trust>> ReadTrust(const std::string& path) {
  std::optional<record::Trust> trust;
  if (!path.empty()) {
    KC_ASSIGN_OR_RETURN(trust, record::Trust::ReadRoster(path));
  }
  return trust;
}

base::Result<void> RefuseArchive(const std::string& folder, const std::string& why, const std::string& hint) {
  KC_ASSIGN_OR_RETURN(const bool archive, record::IsArchive(folder));
  if (!archive) return {};
  return base::MakeError(base::ErrorCode::kInvalidInput, folder + " is an archive, and " + why).WithHint(hint);
}

}  // namespace ceremony::cli
