#include "ceremony/quorum/record_proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "ceremony/record/bounded_parse.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/note.h"
#include "hsm/base/encoding.h"

namespace ceremony::quorum {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using script::Field;

constexpr std::int64_t kMaxTextChars = 1'000'000;

ordered_json SpelledHashes(const record::Proof& proof) {
  ordered_json hashes = ordered_json::array();
  for (const record::Hash& hash : proof) hashes.push_back(base::Base64Encode(hash));
  return hashes;
}

base::Result<record::Proof> ReadHashes(const json& hashes, std::string_view name) {
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

// The size of a tree that a custodian's machine remembers because of this entry: the one that was cosigned, or the
// one whose checkpoint followed a share request. 0: none.
std::uint64_t RememberedSize(std::string_view line, std::uint64_t index) {
  const bool cosign = line.find("\"cosign\"") != std::string_view::npos;
  if (!cosign && line.find(kAskedElsewhere) == std::string_view::npos) return 0;
  const json entry = record::ParseBounded(line);
  if (!entry.is_object() || !entry.contains("type")) return 0;
  if (entry["type"] == "observe" && entry.contains("what") && entry["what"] == kAskedElsewhere) return index + 1;
  if (entry["type"] != "cosign" || !entry.contains("size") || !entry["size"].is_number_unsigned()) return 0;
  return entry["size"].get<std::uint64_t>();
}

}  // namespace

base::Error NotProven(std::string message) {
  return base::Refusal("CRED-14", std::move(message),
                       "neither sign nor give anything; have the room write the request again");
}

std::vector<std::string_view> EntryLines(std::string_view log) {
  std::vector<std::string_view> lines;
  while (!log.empty()) {
    const std::size_t end = log.find('\n');
    if (end == std::string_view::npos) break;
    lines.push_back(log.substr(0, end));
    log.remove_prefix(end + 1);
  }
  return lines;
}

base::Result<RecordProof> MakeRecordProof(std::string_view text, std::string_view log,
                                          std::optional<std::uint64_t> index) {
  KC_ASSIGN_OR_RETURN(const record::Checkpoint checkpoint, record::Checkpoint::Parse(text));
  RecordProof proof;
  proof.text = text;
  std::vector<std::string_view> lines = EntryLines(log);
  const std::size_t written = lines.size();
  if (lines.size() > checkpoint.size) lines.resize(static_cast<std::size_t>(checkpoint.size));
  std::vector<record::Hash> leaves;
  std::set<std::uint64_t> remembered;
  record::CompactRange tree;
  for (const std::string_view line : lines) {
    remembered.insert(RememberedSize(line, leaves.size()));
    leaves.push_back(record::Leaf(line));
    tree.Append(leaves.back());
  }
  if (leaves.size() != checkpoint.size || tree.Root() != checkpoint.root) {
    return base::MakeError(
        base::ErrorCode::kCorrupt,
        fmt::format("the log of {} entries has not the root of its checkpoint over {}", written, checkpoint.size));
  }
  const record::LeafSource source = record::LeavesOf(leaves);
  if (index) {
    KC_ASSIGN_OR_RETURN(proof.inclusion, record::InclusionProof(*index, checkpoint.size, source));
    proof.index = *index;
    proof.entry = lines[static_cast<std::size_t>(*index)];
  }
  for (const std::uint64_t size : remembered) {
    if (size == 0 || size >= checkpoint.size) continue;
    KC_ASSIGN_OR_RETURN(record::Proof extends, record::ConsistencyProof(size, checkpoint.size, source));
    proof.extensions.push_back({size, std::move(extends)});
  }
  return proof;
}

std::vector<Field> RecordProofFields() {
  return {
      Field::Prose("text", "the text of the checkpoint, or what else is signed, without the line feed that ends it")
          .Length(1, kMaxTextChars),
      Field::Table("entry",
                   {"entry",
                    "The entry that says what is asked for.",
                    {Field::Integer("index", 0, record::kMaxInteger, "its place in the record, from 0"),
                     Field::Prose("line", "its exact bytes").Length(2, record::kMaxLineBytes),
                     Hashes("inclusion", "RFC 6962 proof that it is in the tree that the text names")},
                    {}},
                   "what is asked for, with its proof")
          .Optional(),
      Field::List("extends",
                  Field::Table("",
                               {"extends",
                                "An earlier tree of the same record.",
                                {Field::Integer("size", 1, record::kMaxInteger, "its number of entries"),
                                 Hashes("proof", "RFC 6962 consistency proof from it to the tree that the text names")},
                                {}},
                               "an earlier tree"),
                  0, 10'000, "earlier trees that were signed or seen, with proof that this one extends them")
          .DefaultJson("[]")};
}

ordered_json Spelled(const RecordProof& proof) {
  ordered_json file{{"text", proof.text.substr(0, proof.text.size() - (proof.text.ends_with('\n') ? 1 : 0))}};
  if (!proof.entry.empty())
    file["entry"] = {{"index", proof.index}, {"line", proof.entry}, {"inclusion", SpelledHashes(proof.inclusion)}};
  for (const Extension& extension : proof.extensions)
    file["extends"].push_back({{"size", extension.size}, {"proof", SpelledHashes(extension.proof)}});
  return file;
}

base::Result<RecordProof> ReadRecordProof(const json& values) {
  RecordProof proof;
  proof.text = values.at("text").get<std::string>() + '\n';
  if (const auto entry = values.find("entry"); entry != values.end()) {
    proof.entry = entry->at("line");
    proof.index = entry->at("index");
    KC_ASSIGN_OR_RETURN(proof.inclusion, ReadHashes(entry->at("inclusion"), "the entry"));
  }
  for (const json& each : values.at("extends")) {
    Extension extension;
    extension.size = each.at("size");
    KC_ASSIGN_OR_RETURN(extension.proof, ReadHashes(each.at("proof"), "an earlier tree"));
    proof.extensions.push_back(std::move(extension));
  }
  return proof;
}

base::Result<ProvenEntry> CheckEntry(const RecordProof& proof) {
  auto checkpoint = record::Checkpoint::Parse(proof.text);
  if (!checkpoint.ok()) return NotProven("the text of the request is no checkpoint: " + checkpoint.error().message);
  if (proof.entry.empty()) return NotProven("the request does not hold the entry that says what is asked for");
  const auto included = record::VerifyInclusion(record::Leaf(proof.entry), proof.index, checkpoint->size,
                                                proof.inclusion, checkpoint->root);
  if (!included.ok()) {
    return NotProven(fmt::format("entry {} of the request is not in the record that the checkpoint names: {}",
                                 proof.index, included.error().message));
  }
  auto entry = record::ParseEntry(proof.entry);
  if (!entry.ok()) return NotProven("the entry of the request is none: " + entry.error().message);
  return ProvenEntry{std::move(checkpoint).value(), std::move(entry).value()};
}

}  // namespace ceremony::quorum
