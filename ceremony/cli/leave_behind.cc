#include "ceremony/cli/leave_behind.h"

#include <CLI/CLI.hpp>

#include "ceremony/record/record_name.h"

namespace ceremony::cli {

void DescribeLeaveBehind(CLI::App& command, std::string& record) {
  command
      .add_option("--leave-behind", record,
                  "the newest record, when nobody can close it any more because its record token is gone: it stays "
                  "INCOMPLETE, and this ceremony follows it")
      ->type_name("RECORD");
}

std::string FolderLeftBehind(const std::string& record) {
  return record.empty() ? record : record::SplitRecordPath(record).folder;
}

}  // namespace ceremony::cli
