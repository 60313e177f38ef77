#include "ceremony/run/archive_rules.h"

#include <fmt/format.h>

namespace ceremony::run {

base::Result<void> CheckNothingOpen(const std::string& archive, const std::vector<estate::RecordSummary>& records) {
  if (records.empty() || records.back().complete || records.back().left_behind) return {};
  const std::string& open = records.back().folder;
  return base::Refusal("ARCHIVE-OPEN-01", fmt::format("the ceremony {} of this archive is not complete", open),
                       fmt::format("go on with it first: keyceremony resume {0}/{1}; or, when it cannot come to its "
                                   "end: keyceremony resume --call-off {0}/{1}; or, when nobody can close it any more, "
                                   "since its record token is gone: begin this ceremony with --leave-behind {1}",
                                   archive, open));
}

base::Result<void> CompareMode(const std::string& archive, const std::string& held, record::Mode mode) {
  if (held == record::ModeName(mode)) return {};
  return base::Refusal(
      "ARCHIVE-MODE-01",
      fmt::format("the archive {} holds {} records, this is a {} ceremony", archive, held, record::ModeName(mode)),
      "give an archive of its own with --archive");
}

base::Result<void> CheckMode(const std::string& archive, record::Mode mode) {
  KC_ASSIGN_OR_RETURN(const std::string held, estate::NewestMode(archive));
  return held.empty() ? base::Result<void>() : CompareMode(archive, held, mode);
}

base::Result<void> CheckIsLast(const std::string& archive, const std::string& folder) {
  KC_ASSIGN_OR_RETURN(const std::string later, estate::OpenedAfter(archive, folder));
  if (later.empty()) return {};
  return base::Refusal("ARCHIVE-LEFT-01", fmt::format("{} was opened after {}, and has left it behind", later, folder),
                       "it stays as it is; `keyceremony verify` says what it is worth");
}

}  // namespace ceremony::run
