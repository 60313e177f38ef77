#include "ceremony/cli/kept_checkpoint.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

#include "ceremony/record/checkpoint.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/note.h"
#include "ceremony/record/reader.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/storage.h"

namespace ceremony::cli {
namespace {

base::Result<record::Checkpoint> ReadCheckpoint(const record::RecordFolder& folder, std::string_view file) {
  KC_ASSIGN_OR_RETURN(const std::string text, folder.ReadSmall(file, record::kMaxNoteBytes));
  KC_ASSIGN_OR_RETURN(const record::Note note, record::Note::Parse(text));
  return record::Checkpoint::Parse(note.text);
}

// Of the newest record that has one; nullopt: there is none.
base::Result<std::optional<record::Checkpoint>> NewestCheckpoint(const std::string& archive) {
  const auto folder = record::RecordFolder::Open(archive);
  if (!folder.ok() && folder.error().code == base::ErrorCode::kNotFound) return std::optional<record::Checkpoint>();
  if (!folder.ok()) return folder.error();
  KC_ASSIGN_OR_RETURN(std::vector<std::string> names, record::RecordNames(*folder));
  std::reverse(names.begin(), names.end());
  for (const std::string& name : names) {
    auto found = ReadCheckpoint(*folder, record::JoinPath(name, record::kCheckpointFile));
    if (found.ok()) return std::optional<record::Checkpoint>(*std::move(found));
    if (found.error().code != base::ErrorCode::kNotFound) return std::move(found).error().Prefixed(name);
  }
  return std::optional<record::Checkpoint>();
}

}  // namespace

CLI::Option* DescribeCheckpoint(CLI::App& command, std::string& path) {
  return command
      .add_option("--checkpoint", path,
                  "the signed checkpoint that you kept of the last record: the archive must end with this record")
      ->type_name("FILE");
}

base::Result<void> CheckNewest(const std::string& archive, const std::string& kept) {
  if (kept.empty()) return {};
  const std::filesystem::path path = std::filesystem::absolute(kept);
  KC_ASSIGN_OR_RETURN(const record::RecordFolder folder, record::RecordFolder::Open(path.parent_path().string()));
  auto last = ReadCheckpoint(folder, path.filename().string());
  if (!last.ok()) return std::move(last).error().Prefixed(kept);
  KC_ASSIGN_OR_RETURN(const std::optional<record::Checkpoint> newest, NewestCheckpoint(archive));
  if (newest == *last) return {};
  return base::Refusal(
      "ARCHIVE-HEAD-01",
      fmt::format("the checkpoint that was kept is of {} with {} entries, and the archive {}", last->origin, last->size,
                  newest ? fmt::format("ends with {} with {} entries", newest->origin, newest->size) : "has no record"),
      "records are missing, or the checkpoint is of an older one: keep that of the last record");
}

}  // namespace ceremony::cli
