#include "ceremony/quorum/approval_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "ceremony/record/entry.h"
#include "ceremony/script/fields.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::quorum {
namespace {

using nlohmann::json;
using script::Field;

constexpr std::string_view kAddendumSuffix = "/addendum";
constexpr std::string_view kPossessionSuffix = "/possession";
constexpr std::int64_t kMaxTextChars = 1'000'000;

std::vector<std::string_view> LinesOf(std::string_view log) {
  std::vector<std::string_view> lines;
  while (!log.empty()) {
    const std::size_t end = log.find('\n');
    if (end == std::string_view::npos) break;  // a torn tail is no entry
    lines.push_back(log.substr(0, end));
    log.remove_prefix(end + 1);
  }
  return lines;
}

// The type of an entry, or an empty text for a line that is none.
json Entry(std::string_view line) {
  json entry = json::parse(line, nullptr, false);
  return entry.is_object() && entry.contains("type") ? entry : json();
}

json Spelled(const record::Proof& proof) {
  json hashes = json::array();
  for (const record::Hash& hash : proof) hashes.push_back(base::Base64Encode(hash));
  return hashes;
}

base::Error NotProven(std::string message) {
  return base::Refusal("CRED-14", std::move(message), "do not sign; have the room write the request again");
}

base::Result<record::Proof> ReadProof(const json& hashes, std::string_view name) {
  record::Proof proof;
  for (const json& text : hashes) {
    KC_ASSIGN_OR_RETURN(const base::Bytes bytes, base::Base64Decode(text.get_ref<const std::string&>()));
    record::Hash hash;
    if (bytes.size() != hash.size())
      return NotProven(fmt::format("a hash of the proof of {} has {} bytes, expected 32", name, bytes.size()));
    std::ranges::copy(bytes, hash.begin());
    proof.push_back(hash);
  }
  return proof;
}

Field Hashes(const char* name, const char* help) {
  return Field::List(name, Field::Shaped("", script::Base64Shape(), "a hash"), 0, 64, help);
}

const script::FieldTable& Table() {
  static const script::FieldTable table{
      "approval",
      "What a custodian is asked to sign on a machine of their own.",
      {script::FormatField("keyceremony-approval/1"),
       Field::Prose("text", "the text that is signed, without the line feed that ends it").Length(1, kMaxTextChars),
       Field::Table("entry",
                    {"entry",
                     "The entry that says what is approved.",
                     {Field::Integer("index", 0, record::kMaxInteger, "its place in the record, from 0"),
                      Field::Prose("line", "its exact bytes").Length(2, record::kMaxLineBytes),
                      Hashes("inclusion", "RFC 6962 proof that it is in the tree that the text names")},
                     {}},
                    "what is approved, with its proof")
           .Optional(),
       Field::List(
           "extends",
           Field::Table("",
                        {"extends",
                         "An earlier tree of the same record.",
                         {Field::Integer("size", 1, record::kMaxInteger, "its number of entries"),
                          Hashes("proof", "RFC 6962 consistency proof from it to the tree that the text names")},
                         {}},
                        "an earlier tree"),
           0, 10'000, "earlier trees that were signed, with proof that this one extends them")
           .DefaultJson("[]")},
      {}};
  return table;
}

}  // namespace

std::vector<std::string> CheckpointsIn(std::string_view log) {
  std::vector<std::string> texts;
  for (const std::string_view line : LinesOf(log)) {
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
  nlohmann::ordered_json file{{"format", "keyceremony-approval/1"},
                              {"text", text.substr(0, text.size() - (text.ends_with('\n') ? 1 : 0))}};
  const auto checkpoint = record::Checkpoint::Parse(text);
  if (checkpoint.ok()) {
    const std::vector<std::string_view> lines = LinesOf(log);
    std::vector<record::Hash> leaves;
    std::optional<std::uint64_t> asked;
    std::set<std::uint64_t> signed_sizes;
    for (std::size_t i = 0; i < lines.size() && i < checkpoint->size; ++i) {
      leaves.push_back(record::Leaf(lines[i]));
      const json entry = Entry(lines[i]);
      if (entry.is_null()) continue;
      if (entry["type"] == "request" || entry["type"] == "close") asked = i;
      if (entry["type"] == "cosign" && entry.contains("size") && entry["size"].is_number_unsigned())
        signed_sizes.insert(entry["size"].get<std::uint64_t>());
    }
    record::CompactRange tree;
    for (const record::Hash& leaf : leaves) tree.Append(leaf);
    if (leaves.size() != checkpoint->size || tree.Root() != checkpoint->root) {
      return base::MakeError(base::ErrorCode::kCorrupt,
                             fmt::format("the log of {} entries has not the root of its checkpoint over {}",
                                         lines.size(), checkpoint->size));
    }
    const record::LeafSource source = record::LeavesOf(leaves);
    if (asked) {
      KC_ASSIGN_OR_RETURN(const record::Proof proof, record::InclusionProof(*asked, checkpoint->size, source));
      file["entry"] = {{"index", *asked}, {"line", lines[*asked]}, {"inclusion", Spelled(proof)}};
    }
    for (const std::uint64_t size : signed_sizes) {
      if (size == 0 || size >= checkpoint->size) continue;
      KC_ASSIGN_OR_RETURN(const record::Proof proof, record::ConsistencyProof(size, checkpoint->size, source));
      file["extends"].push_back({{"size", size}, {"proof", Spelled(proof)}});
    }
  }
  return file.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

base::Result<ApprovalFile> ParseApprovalFile(script::LoadedFile file) {
  script::Problems problems;
  script::Document document;
  json values;
  if (!script::ParseFile(Table(), file, document, values, problems)) return problems.ToError();
  ApprovalFile approval;
  approval.text = values.at("text").get<std::string>() + '\n';
  if (const auto entry = values.find("entry"); entry != values.end()) {
    approval.entry = entry->at("line");
    approval.index = entry->at("index");
    KC_ASSIGN_OR_RETURN(approval.inclusion, ReadProof(entry->at("inclusion"), "the entry"));
  }
  for (const json& each : values.at("extends")) {
    Extension extension;
    extension.size = each.at("size");
    KC_ASSIGN_OR_RETURN(extension.proof, ReadProof(each.at("proof"), "an earlier tree"));
    approval.extensions.push_back(std::move(extension));
  }
  return approval;
}

base::Result<ApprovalWords> CheckApprovalFile(const ApprovalFile& file) {
  ApprovalWords words;
  auto checkpoint = record::Checkpoint::Parse(file.text);
  if (!checkpoint.ok()) {
    const std::string first = file.text.substr(0, file.text.find('\n'));
    const bool possession = first.ends_with(kPossessionSuffix);
    if ((!possession && !first.ends_with(kAddendumSuffix)) || !record::IsNoteText(file.text))
      return NotProven("the text to be signed is neither a checkpoint nor the addendum of a record");
    if (possession) {
      words.origin = first.substr(0, first.size() - kPossessionSuffix.size());
      words.statement = "That the key is yours, for your appointment: the text is a random challenge";
      return words;
    }
    words.origin = first.substr(0, first.size() - kAddendumSuffix.size());
    words.statement = "The addendum: the key that signed this record is gone, and these are the digests of its files";
    return words;
  }
  words.checkpoint = std::move(checkpoint).value();
  words.origin = words.checkpoint->origin;
  if (file.entry.empty()) return NotProven("the request does not hold the entry that says what is approved");
  const auto included = record::VerifyInclusion(record::Leaf(file.entry), file.index, words.checkpoint->size,
                                                file.inclusion, words.checkpoint->root);
  if (!included.ok()) {
    return NotProven(fmt::format("entry {} of the request is not in the record that the checkpoint names: {}",
                                 file.index, included.error().message));
  }
  auto parsed = record::ParseEntry(file.entry);
  if (!parsed.ok()) return NotProven("the entry of the request is none: " + parsed.error().message);
  const json& entry = *parsed;
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
