#include "ceremony/estate/fold.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "ceremony/record/bounded_parse.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/reader.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/storage.h"

namespace ceremony::estate {
namespace {

using nlohmann::json;

// Only these lines can matter here; the others are not even parsed.
bool IsOfInterest(std::string_view line) {
  if (line.find("\"type\":\"artefact\"") != std::string_view::npos)
    return line.find("\"kind\":\"roster\"") != std::string_view::npos;
  return line.find("\"type\":\"step\"") != std::string_view::npos
             ? line.find("\"effects\":") != std::string_view::npos
             : line.find("\"type\":\"open\"") != std::string_view::npos ||
                   line.find("\"type\":\"close\"") != std::string_view::npos;
}

std::string Text(const json& entry, const char* field) {
  const auto found = entry.find(field);
  return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
}

class RecordFold final {
 public:
  RecordFold(Estate& estate, RecordSummary& summary) : estate_(estate), summary_(summary) {}

  base::Result<void> Line(std::string_view line) {
    const std::uint64_t seq = summary_.entries++;
    if (!IsOfInterest(line)) return {};
    const json entry = record::ParseBounded(line);
    if (!entry.is_object()) return Corrupt(seq, "it is not a JSON object, or nests too deep");
    const std::string type = Text(entry, "type");
    if (type == "open") {
      summary_.opened = true;
      summary_.ceremony = Text(entry, "ceremony");
      summary_.origin = Text(entry, "origin");
      summary_.mode = Text(entry, "mode");
      summary_.began = Text(entry, "time");
      if (const auto previous = entry.find("previous"); previous != entry.end())
        summary_.previous = previous->is_object() ? Text(*previous, "origin") : "";
    } else if (type == "artefact") {
      if (Text(entry, "kind") == "roster") summary_.roster = Text(entry, "name");
    } else if (type == "close") {
      summary_.ended = Text(entry, "time");
      summary_.called_off = entry.contains("called_off");
    } else if (type == "step" && Text(entry, "phase") == "end" && entry.contains("effects")) {
      for (const json& object : entry.at("effects")) {
        auto effect = EffectFromJson(object);
        if (!effect.ok()) return Corrupt(seq, effect.error().message);
        auto applied = estate_.Apply(*effect, {summary_.folder, seq, Text(entry, "time")});
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
};

base::Result<void> FoldRecord(const std::string& path, Estate& estate, RecordSummary& summary) {
  KC_ASSIGN_OR_RETURN(const record::RecordFolder folder, record::RecordFolder::Open(path));
  auto file = folder.OpenFile(record::kLogFile);
  if (!file.ok()) {
    if (file.error().code == base::ErrorCode::kNotFound) return {};
    return std::move(file).error();
  }
  record::LogReader reader(std::move(file).value());
  record::LogReader::Block block;
  RecordFold fold(estate, summary);
  while (true) {
    KC_ASSIGN_OR_RETURN(const bool more, reader.Next(block));
    if (!more) break;
    std::string_view lines(block.buffer.data(), block.size);
    while (!lines.empty()) {
      const std::size_t end = lines.find('\n');
      KC_RETURN_IF_ERROR(fold.Line(lines.substr(0, end)));
      lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    }
  }
  summary.complete = !summary.ended.empty() && folder.OpenFile(record::kAddendumFile).ok();
  return {};
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
  return json::parse(lines.substr(0, lines.find('\n')), nullptr, false);
}

}  // namespace

base::Result<std::string> NewestMode(const std::string& archive) {
  auto folder = record::RecordFolder::Open(archive);
  if (!folder.ok() && folder.error().code == base::ErrorCode::kNotFound) return std::string();
  if (!folder.ok()) return std::move(folder).error();
  KC_ASSIGN_OR_RETURN(std::vector<std::string> names, record::RecordNames(*folder));
  std::reverse(names.begin(), names.end());
  for (const std::string& name : names) {
    KC_ASSIGN_OR_RETURN(const json entry, OpenEntryOf(*folder, name));
    if (std::string mode = entry.is_object() ? Text(entry, "mode") : ""; !mode.empty()) return mode;
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
    if (end && record::RecordNumber(name) >= end) break;
    RecordSummary summary;
    summary.folder = name;
    const std::string path = archive + "/" + name;
    KC_RETURN_IF_ERROR(FoldRecord(path, folded.estate, summary));
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
