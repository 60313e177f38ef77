#include "ceremony/quorum/approval_file.h"

#include <fmt/format.h>

#include <utility>

#include "ceremony/record/bounded_parse.h"
#include "ceremony/record/entry.h"
#include "ceremony/script/fields.h"
#include "hsm/base/digest.h"

namespace ceremony::quorum {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "keyceremony-approval/1";
constexpr std::string_view kAddendumSuffix = "/addendum";
constexpr std::string_view kPossessionSuffix = "/possession";

// An entry, or null for a line that is none.
json Entry(std::string_view line) {
  json entry = record::ParseBounded(line);
  return entry.is_object() && entry.contains("type") ? entry : json();
}

const script::FieldTable& Table() {
  static const script::FieldTable table = [] {
    std::vector<script::Field> fields{script::FormatField(kFormat)};
    for (script::Field& field : RecordProofFields()) fields.push_back(std::move(field));
    return script::FieldTable{
        "approval", "What a custodian is asked to sign on a machine of their own.", std::move(fields), {}};
  }();
  return table;
}

// The last entry before `size` that asks people to sign.
std::optional<std::uint64_t> LastRequest(std::string_view log, std::uint64_t size) {
  std::optional<std::uint64_t> asked;
  std::uint64_t index = 0;
  for (const std::string_view line : EntryLines(log)) {
    if (index >= size) break;
    const json entry = Entry(line);
    if (!entry.is_null() && (entry["type"] == "request" || entry["type"] == "close")) asked = index;
    ++index;
  }
  return asked;
}

// What is signed that is no checkpoint: an addendum, or the challenge of an appointment.
base::Result<ApprovalWords> WordsOfAlone(const std::string& text) {
  ApprovalWords words;
  const std::string first = text.substr(0, text.find('\n'));
  const bool possession = first.ends_with(kPossessionSuffix);
  if ((!possession && !first.ends_with(kAddendumSuffix)) || !record::IsNoteText(text))
    return NotProven("the text to be signed is neither a checkpoint nor the addendum of a record");
  words.origin = first.substr(0, first.size() - (possession ? kPossessionSuffix : kAddendumSuffix).size());
  words.statement =
      possession ? "That the key is yours, for your appointment: the text is a random challenge"
                 : "The addendum: the key that signed this record is gone, and these are the digests of its files";
  return words;
}

}  // namespace

std::vector<std::string> CheckpointsIn(std::string_view log) {
  std::vector<std::string> texts;
  for (const std::string_view line : EntryLines(log)) {
    if (line.find("\"checkpoint\"") == std::string_view::npos) continue;
    const json entry = Entry(line);
    if (entry.is_null() || entry["type"] != "checkpoint" || !entry.contains("note") || !entry["note"].is_string())
      continue;
    const auto note = record::Note::Parse(entry["note"].get_ref<const std::string&>());
    if (note.ok()) texts.push_back(note->text);
  }
  return texts;
}

base::Result<std::string> WriteApprovalFile(std::string_view text, std::string_view log) {
  RecordProof proof;
  proof.text = text;
  if (const auto checkpoint = record::Checkpoint::Parse(text); checkpoint.ok()) {
    KC_ASSIGN_OR_RETURN(proof, MakeRecordProof(text, log, LastRequest(log, checkpoint->size)));
  }
  nlohmann::ordered_json file{{"format", kFormat}};
  file.update(Spelled(proof));
  return file.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

base::Result<RecordProof> ParseApprovalFile(script::LoadedFile file) {
  script::Problems problems;
  script::Document document;
  json values;
  if (!script::ParseFile(Table(), file, document, values, problems)) return problems.ToError();
  return ReadRecordProof(values);
}

base::Result<ApprovalWords> CheckApprovalFile(const RecordProof& file) {
  if (!record::Checkpoint::Parse(file.text).ok()) return WordsOfAlone(file.text);
  KC_ASSIGN_OR_RETURN(const ProvenEntry proven, CheckEntry(file));
  const json& entry = proven.entry;
  ApprovalWords words;
  words.checkpoint = proven.checkpoint;
  words.origin = words.checkpoint->origin;
  words.mode = entry.at("mode");
  if (entry.at("type") == "close") {
    words.statement = "The ceremony is over: this is the whole record";
    return words;
  }
  if (entry.at("type") != "request")
    return NotProven(
        fmt::format("entry {} asks for nothing: it is `{}`", file.index, entry.at("type").get<std::string>()));
  words.step = entry.at("step");
  words.statement = entry.at("statement");
  words.subject = entry.at("subject");
  words.subject_sha256 = entry.at("subject_sha256");
  const json& quorum = entry.at("quorum");
  words.quorum = fmt::format("{} of {} ({})", quorum.value("m", 0), quorum.value("n", 0), quorum.value("name", ""));
  KC_ASSIGN_OR_RETURN(const std::string canonical, record::CanonicaliseValue(words.subject));
  if (const std::string digest = base::Sha256Hex(canonical); digest != words.subject_sha256) {
    return NotProven(
        fmt::format("the parameters have the SHA-256 {}, the entry says {}", digest, words.subject_sha256));
  }
  return words;
}

}  // namespace ceremony::quorum
