#include "ceremony/estate/fold.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "ceremony/record/bounded_parse.h"
#include "ceremony/record/checkpoint.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/json_member.h"
#include "ceremony/record/line_walk.h"
#include "ceremony/record/log_reader.h"
#include "ceremony/record/reader.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/storage.h"

namespace ceremony::estate {
namespace {

using nlohmann::json;
using record::TextOf;

// Only these lines can matter here; the others are not even parsed.
bool IsOfInterest(std::string_view line) {
  if (line.find("\"type\":\"artefact\"") != std::string_view::npos)
    return line.find("\"kind\":\"roster\"") != std::string_view::npos;
  return line.find("\"type\":\"step\"") != std::string_view::npos
             ? line.find("\"effects\":") != std::string_view::npos
             : line.find("\"type\":\"open\"") != std::string_view::npos ||
                   line.find("\"type\":\"close\"") != std::string_view::npos ||
                   line.find("\"type\":\"checkpoint\"") != std::string_view::npos ||
                   line.find("\"what\":\"copy-destroying\"") != std::string_view::npos;
}

// LeftBehindBy is what an `open` entry says of the record before it, when that was left behind.
std::optional<record::Checkpoint> LeftBehindBy(const json& open) {
  const auto said = open.find("left_behind");
  if (said == open.end()) return std::nullopt;
  const base::Result<std::string> object = record::CanonicaliseValue(*said);
  return object.ok() ? record::CheckpointIn(*object) : std::nullopt;
}

// The record before one that says that it left it behind takes that down.
void TakeLeftBehind(const std::optional<record::Checkpoint>& said, std::vector<RecordSummary>& records) {
  if (!said) return;
  const auto before =
      std::find_if(records.rbegin(), records.rend(), [](const RecordSummary& record) { return record.opened; });
  if (before != records.rend() && before->origin == said->origin) before->left_behind = said;
}

class RecordFold final {
 public:
  RecordFold(Estate& estate, RecordSummary& summary) : estate_(estate), summary_(summary) {}

  // What its `open` says of the record before.
  const std::optional<record::Checkpoint>& left_behind() const { return left_behind_; }

  base::Result<void> Line(std::string_view line) {
    const std::uint64_t seq = summary_.entries++;
    if (!IsOfInterest(line)) return {};
    const json entry = record::ParseBounded(line);
    if (!entry.is_object()) return Corrupt(seq, "it is not a JSON object, or nests too deep");
    const std::string type = TextOf(entry, "type");
    if (type == "open") {
      summary_.opened = true;
      summary_.ceremony = TextOf(entry, "ceremony");
      summary_.origin = TextOf(entry, "origin");
      summary_.mode = TextOf(entry, "mode");
      summary_.began = TextOf(entry, "time");
      if (const auto previous = entry.find("previous"); previous != entry.end())
        summary_.previous = previous->is_object() ? TextOf(*previous, "origin") : "";
      left_behind_ = LeftBehindBy(entry);
    } else if (type == "observe") {
      if (TextOf(entry, "what") == "copy-destroying")
        estate_.BeginDestruction(TextOf(entry, "key"), TextOf(entry, "token"),
                                 {summary_.folder, seq, TextOf(entry, "time")});
    } else if (type == "checkpoint") {
      summary_.has_checkpoint = true;
    } else if (type == "artefact") {
      if (TextOf(entry, "kind") == "roster") summary_.roster = TextOf(entry, "name");
    } else if (type == "close") {
      summary_.ended = TextOf(entry, "time");
      summary_.called_off = entry.contains("called_off");
    } else if (type == "step" && TextOf(entry, "phase") == "end" && entry.contains("effects")) {
      for (const json& object : entry.at("effects")) {
        auto effect = EffectFromJson(object);
        if (!effect.ok()) return Corrupt(seq, effect.error().message);
        auto applied = estate_.Apply(*effect, {summary_.folder, seq, TextOf(entry, "time")});
        if (!applied.ok()) return Corrupt(seq, fmt::format("[{}] {}", applied.error().rule, applied.error().message));
      }
    }
    return {};
  }

 private:
  base::Error Corrupt(std::uint64_t seq, const std::string& why) const {
    base::Error error =
        base::MakeError(base::ErrorCode::kCorrupt, fmt::format("record {}, entry {}: {}", summary_.folder, seq, why));
    error.rule = "EST-FOLD-01";
    error.hint = "verify the archive with keyceremony-verify";
    return error;
  }
  Estate& estate_;
  RecordSummary& summary_;
  std::optional<record::Checkpoint> left_behind_;
};

// It returns what the record says of the one before it.
base::Result<std::optional<record::Checkpoint>> FoldRecord(const std::string& path, Estate& estate,
                                                           RecordSummary& summary) {
  KC_ASSIGN_OR_RETURN(const record::RecordFolder folder, record::RecordFolder::Open(path));
  RecordFold fold(estate, summary);
  const auto take = [&](std::string_view line) -> base::Result<bool> {
    KC_RETURN_IF_ERROR(fold.Line(line));
    return true;
  };
  auto read = record::ForEachLine(folder, record::kLogFile, take);
  if (!read.ok() && read.error().code == base::ErrorCode::kNotFound) return std::optional<record::Checkpoint>();
  if (!read.ok()) return std::move(read).error();
  summary.complete = !summary.ended.empty() && folder.OpenFile(record::kAddendumFile).ok();
  return fold.left_behind();
}

// OpenEntryOf is the `open` entry of a record; discarded when it has none that is whole.
base::Result<json> OpenEntryOf(const record::RecordFolder& archive, const std::string& name) {
  const json none(json::value_t::discarded);
  auto file = archive.OpenFile(record::JoinPath(name, record::kLogFile));
  if (!file.ok() && file.error().code == base::ErrorCode::kNotFound) return none;
  if (!file.ok()) return std::move(file).error();
  record::LogReader reader(std::move(file).value());
  record::LogReader::Block block;
  KC_ASSIGN_OR_RETURN(const bool more, reader.Next(block));
  if (!more) return none;
  const std::string_view lines(block.buffer.data(), block.size);
  return record::ParseBounded(lines.substr(0, lines.find('\n')));
}

}  // namespace

base::Result<json> OpenEntry(const std::string& archive, const std::string& folder) {
  KC_ASSIGN_OR_RETURN(const record::RecordFolder records, record::RecordFolder::Open(archive));
  return OpenEntryOf(records, folder);
}

base::Result<std::string> OpenedAfter(const std::string& archive, const std::string& folder) {
  KC_ASSIGN_OR_RETURN(const record::RecordFolder records, record::RecordFolder::Open(archive));
  KC_ASSIGN_OR_RETURN(const std::vector<std::string> names, record::RecordNames(records));
  for (const std::string& name : names) {
    if (record::RecordNumber(name) <= record::RecordNumber(folder)) continue;
    KC_ASSIGN_OR_RETURN(const json open, OpenEntryOf(records, name));
    if (open.is_object()) return name;
  }
  return std::string();
}

base::Result<std::string> NewestMode(const std::string& archive) {
  auto folder = record::RecordFolder::Open(archive);
  if (!folder.ok() && folder.error().code == base::ErrorCode::kNotFound) return std::string();
  if (!folder.ok()) return std::move(folder).error();
  KC_ASSIGN_OR_RETURN(std::vector<std::string> names, record::RecordNames(*folder));
  std::reverse(names.begin(), names.end());
  for (const std::string& name : names) {
    KC_ASSIGN_OR_RETURN(const json entry, OpenEntryOf(*folder, name));
    if (std::string mode = entry.is_object() ? TextOf(entry, "mode") : ""; !mode.empty()) return mode;
  }
  return std::string();
}

base::Result<Folded> FoldArchive(const std::string& archive, const std::string& before) {
  Folded folded;
  auto folder = record::RecordFolder::Open(archive);
  if (!folder.ok()) {
    if (folder.error().code == base::ErrorCode::kNotFound) return folded;
    return std::move(folder).error();
  }
  KC_ASSIGN_OR_RETURN(const std::vector<std::string> names, record::RecordNames(folder.value()));
  const std::optional<std::uint64_t> end = record::RecordNumber(before);
  for (const std::string& name : names) {
    if (end && record::RecordNumber(name) >= end) {
      KC_ASSIGN_OR_RETURN(const json open, OpenEntryOf(*folder, name));
      if (open.is_object()) TakeLeftBehind(LeftBehindBy(open), folded.records);
      break;
    }
    RecordSummary summary;
    summary.folder = name;
    const std::string path = archive + "/" + name;
    KC_ASSIGN_OR_RETURN(const auto left_behind, FoldRecord(path, folded.estate, summary));
    TakeLeftBehind(left_behind, folded.records);
    if (summary.complete && !summary.roster.empty()) {
      folded.newest_roster = fmt::format("{}/{}/{}", path, record::kArtefactsFolder, summary.roster);
      folded.roster_changed = true;
    } else if (summary.opened) {
      folded.newest_roster = fmt::format("{}/{}/{}", path, record::kInputsFolder, record::kRosterFile);
      folded.roster_changed = false;
    }
    folded.records.push_back(std::move(summary));
  }
  return folded;
}

}  // namespace ceremony::estate
