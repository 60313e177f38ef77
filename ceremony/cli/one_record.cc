#include "ceremony/cli/one_record.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <system_error>

#include "ceremony/record/entry.h"
#include "ceremony/record/reader.h"
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

base::Result<void> RequireArchive(const std::string& folder) {
  std::error_code unreadable;
  if (!std::filesystem::is_directory(folder, unreadable)) {
    return base::MakeError(base::ErrorCode::kInvalidInput, fmt::format("there is no archive {}", folder))
        .WithHint("give the folder that holds the records");
  }
  if (std::filesystem::exists(std::filesystem::path(folder) / record::kLogFile, unreadable)) {
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           fmt::format("{} is one record, and the estate is what all of an archive add up to", folder))
        .WithHint("give the folder in which the record stands, or ask `keyceremony show` about the record");
  }
  KC_ASSIGN_OR_RETURN(const bool archive, record::IsArchive(folder));
  if (archive) return {};
  return base::MakeError(base::ErrorCode::kNotFound,
                         fmt::format("{} holds no record: no folder in it is named NNNN-<ceremony id>", folder))
      .WithHint("give the folder that holds the records");
}

base::Result<void> RequireRecord(const std::string& folder, const std::string& why, const std::string& hint) {
  KC_ASSIGN_OR_RETURN(const bool archive, record::IsArchive(folder));
  if (archive)
    return base::MakeError(base::ErrorCode::kInvalidInput, folder + " is an archive, and " + why).WithHint(hint);
  KC_ASSIGN_OR_RETURN(const record::RecordFolder opened, record::RecordFolder::Open(folder));
  if (const auto log = opened.OpenFile(record::kLogFile); !log.ok() && log.error().code == base::ErrorCode::kNotFound) {
    return base::MakeError(base::ErrorCode::kNotFound,
                           fmt::format("{} is not a record: there is no {} in it", folder, record::kLogFile))
        .WithHint("give the folder of a record, NNNN-<ceremony id> in an archive");
  }
  return {};
}

}  // namespace ceremony::cli
