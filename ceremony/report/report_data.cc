#include "ceremony/report/report_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "ceremony/record/bounded_parse.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/line_walk.h"
#include "ceremony/record/note.h"
#include "ceremony/record/reader.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/script_plan.h"
#include "ceremony/report/json_text.h"
#include "ceremony/report/record_story.h"
#include "ceremony/verify/verify.h"
#include "hsm/base/clock_text.h"

namespace ceremony::report {
namespace {

using base::Result;

constexpr std::size_t kMaxScriptBytes = 4u << 20;
constexpr std::size_t kMaxNoteBytes = 1u << 20;

Result<void> ReadLog(const record::RecordFolder& folder, RecordStory& story, ReportData& data) {
  const auto take = [&](std::string_view line) -> Result<bool> {
    story.Take(line);
    return true;
  };
  auto read = record::ForEachLine(folder, record::kLogFile, take);
  if (read.ok() || read.error().code == base::ErrorCode::kIo) return read;
  // The verdict has said what is wrong with it.
  if (read.error().code == base::ErrorCode::kCorrupt) data.cut_short = true;
  return {};
}

std::vector<std::string> SignersOf(const record::RecordFolder& folder, std::string_view file,
                                   const std::string& origin) {
  std::vector<std::string> people;
  const auto text = folder.ReadSmall(file, kMaxNoteBytes);
  if (!text.ok()) return people;
  const auto note = record::Note::Parse(*text);
  if (!note.ok()) return people;
  for (const record::SignatureLine& line : note->signatures) {
    if (line.name != origin) people.emplace_back(line.person());
  }
  return people;
}

// The second line of the addendum is what was seen of the log key's end, and what
// people refused when no entry could follow any more.
void ReadEvidence(const record::RecordFolder& folder, ReportData& data) {
  const auto text = folder.ReadSmall(record::kAddendumFile, kMaxNoteBytes);
  if (!text.ok()) return;
  const std::size_t first = text->find('\n');
  if (first == std::string::npos) return;
  const nlohmann::json evidence =
      nlohmann::json::parse(text->substr(first + 1, text->find('\n', first + 1) - first - 1), nullptr, false);
  if (!evidence.is_object()) return;
  data.addendum = TextOf(evidence, "what") + " (token " + TextOf(evidence, "token") + ", serial " +
                  TextOf(evidence, "serial") + "), shown absent on " + TimeInWords(TextOf(evidence, "time"));
  const nlohmann::json& refusals = MemberOf(evidence, "refusals");
  if (!refusals.is_array()) return;
  for (const nlohmann::json& refusal : refusals) {
    const std::string time = TextOf(refusal, "time");
    data.remarks.push_back({"refusal",
                            true,
                            TextOf(refusal, "rule"),
                            "addendum",
                            TextOf(refusal, "person"),
                            TextOf(refusal, "message"),
                            {0, time, MicrosOf(time)}});
  }
}

// ScriptPaths is what `open` names; a record of another program need not name its script, which may be any input then.
std::vector<std::string> ScriptPaths(const record::RecordFolder& folder, const std::string& inputs) {
  std::string name;
  const auto take = [&](std::string_view line) -> Result<bool> {
    name = TextOf(record::ParseBounded(line), "script");
    return false;
  };
  // ReadLog reports a log that cannot be read.
  if (record::ForEachLine(folder, record::kLogFile, take).ok() && !name.empty()) return {inputs + name};
  auto listing = folder.List();
  if (!listing.ok()) return {};
  std::erase_if(listing->files, [&](const std::string& path) { return !path.starts_with(inputs); });
  return std::move(listing->files);
}

struct ScriptFile {
  std::string name, bytes;  // empty: there is none
};

ScriptFile FindScript(const record::RecordFolder& folder) {
  const std::string inputs = std::string(record::kInputsFolder) + "/";
  for (const std::string& path : ScriptPaths(folder, inputs)) {
    auto bytes = folder.ReadSmall(path, kMaxScriptBytes);
    if (bytes.ok() && record::IsScript(*bytes)) return {path.substr(inputs.size()), std::move(bytes).value()};
  }
  return {};
}

// Sites are said by the binding, token by token.
std::string SitesOf(const record::RecordFolder& folder) {
  const auto bytes = folder.ReadSmall(std::string(record::kInputsFolder) + "/binding.json", kMaxScriptBytes);
  const nlohmann::json binding = bytes.ok() ? nlohmann::json::parse(*bytes, nullptr, false) : nlohmann::json();
  std::set<std::string> sites;
  const nlohmann::json& tokens = MemberOf(binding, "tokens");
  if (tokens.is_object()) {
    for (const auto& [name, token] : tokens.items()) sites.insert(TextOf(token, "site"));
  }
  sites.erase("");
  return fmt::format("{}", fmt::join(sites, ", "));
}

}  // namespace

std::int64_t MicrosOf(const std::string& time) {
  const auto micros = base::ParseTime(time);
  return micros.ok() ? *micros : 0;
}

std::optional<Moment> Approval::Met() const {
  std::set<std::string> people;
  for (const Signature& signature : signatures) {
    people.insert(signature.person);
    if (m > 0 && people.size() == static_cast<std::size_t>(m)) return signature.at;
  }
  return std::nullopt;
}

std::size_t Approval::People() const {
  std::set<std::string> people;
  for (const Signature& signature : signatures) people.insert(signature.person);
  return people.size();
}

std::string StepStory::Outcome() const { return attempts.empty() ? "not reached" : attempts.back().outcome; }

bool StepStory::Belongs(std::uint64_t entry, std::size_t attempt) const {
  const bool begun = attempt == 0 || entry >= attempts[attempt].begin.entry;
  return begun && (attempt + 1 >= attempts.size() || entry < attempts[attempt + 1].begin.entry);
}

bool KeyEvent::IsBeginning() const {
  return what == "key-created" || what == "transport-key-created" || what == "key-imported";
}

std::vector<std::string> KeyStory::Tokens() const {
  std::vector<std::string> tokens;
  for (const KeyEvent& event : events) {
    for (const std::string& token : {event.source, event.token}) {
      if (!token.empty() && std::find(tokens.begin(), tokens.end(), token) == tokens.end()) tokens.push_back(token);
    }
  }
  return tokens;
}

std::string ReportData::NameOf(const std::string& person) const {
  for (const PersonSeen& each : people) {
    if (each.id == person && !each.name.empty()) return each.name;
  }
  return person;
}

Result<ReportData> ReadReportData(const std::string& path, const ReadOptions& options) {
  ReportData data;
  data.made_at = options.made_at;
  data.pinned = options.trust != nullptr;
  record::VerifyOptions how;
  how.trust = options.trust;
  KC_ASSIGN_OR_RETURN(data.verdict, verify::VerifyRecord(path, how));
  KC_ASSIGN_OR_RETURN(const record::RecordFolder folder, record::RecordFolder::Open(path));
  // Of a bundle the openings are for everybody; those of a record stay where they are.
  Openings openings;
  if (!data.verdict.label.empty()) {
    KC_ASSIGN_OR_RETURN(openings, ReadOpenings(folder));
    KC_ASSIGN_OR_RETURN(data.ledger, ReadLedger(folder));
  }
  RecordStory story(data, std::move(openings));
  const ScriptFile script = FindScript(folder);
  story.TakeScript(script.bytes);
  KC_RETURN_IF_ERROR(ReadLog(folder, story, data));
  story.Finish();
  const auto roster =
      folder.ReadSmall(fmt::format("{}/{}", record::kInputsFolder, record::kRosterFile), kMaxScriptBytes);
  if (roster.ok()) story.TakeRoster(*roster);
  // A record of another program need not say which of its inputs is the script.
  if (data.script_name.empty()) {
    data.script_name = script.name;
    for (const FileNamed& input : data.inputs) {
      if (input.name == script.name) data.script_sha256 = input.sha256;
    }
  }
  data.final_cosigners = SignersOf(folder, record::kCheckpointFile, data.origin);
  data.addendum_signers = SignersOf(folder, record::kAddendumFile, data.origin);
  ReadEvidence(folder, data);
  data.site = SitesOf(folder);
  return data;
}

}  // namespace ceremony::report
