#include "ceremony/quorum/seen_checkpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "ceremony/script/fields.h"
#include "hsm/base/encoding.h"
#include "hsm/base/file.h"

namespace ceremony::quorum {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using script::Field;

const script::FieldTable& SeenTable() {
  static const script::FieldTable table{
      "seen",
      "The last checkpoint of each record that was signed with a credential.",
      {script::FormatField("keyceremony-seen/1"),
       Field::List("seen",
                   Field::Table("",
                                {"checkpoint",
                                 "A checkpoint.",
                                 {Field::Text("origin", "of the record"),
                                  Field::Integer("size", 1, script::kMaxInteger, "its number of entries"),
                                  Field::Shaped("root", script::Base64Shape(), "its root")},
                                 {}},
                                "a checkpoint"),
                   0, 100'000, "one for each record")},
      {}};
  return table;
}

base::Result<json> Values(const script::FieldTable& table, const script::LoadedFile& file) {
  script::Problems problems;
  script::Document document;
  json values;
  if (!script::ParseFile(table, file, document, values, problems)) return problems.ToError();
  return values;
}

}  // namespace

base::Result<SeenCheckpoints> SeenCheckpoints::Parse(script::LoadedFile file) {
  KC_ASSIGN_OR_RETURN(const json values, Values(SeenTable(), file));
  SeenCheckpoints seen;
  for (const json& each : values.at("seen")) {
    // The text of a checkpoint is checked as such.
    const std::string text = fmt::format("{}\n{}\n{}\n", each.at("origin").get<std::string>(),
                                         each.at("size").get<std::uint64_t>(), each.at("root").get<std::string>());
    auto checkpoint = record::Checkpoint::Parse(text);
    if (!checkpoint.ok()) return std::move(checkpoint).error().Prefixed(file.name);
    seen.Remember(*checkpoint);
  }
  return seen;
}

std::string SeenCheckpoints::Text() const {
  ordered_json file{{"format", "keyceremony-seen/1"}, {"seen", ordered_json::array()}};
  for (const auto& [origin, checkpoint] : seen_) {
    file["seen"].push_back(
        {{"origin", origin}, {"size", checkpoint.size}, {"root", base::Base64Encode(checkpoint.root)}});
  }
  return file.dump(2) + "\n";
}

base::Result<SeenCheckpoints> SeenCheckpoints::Read(const std::string& path) {
  std::error_code unreadable;
  if (!std::filesystem::exists(path, unreadable) && !unreadable) return SeenCheckpoints();
  KC_ASSIGN_OR_RETURN(script::LoadedFile file, script::LoadFile(path));
  return Parse(std::move(file));
}

base::Result<void> SeenCheckpoints::Write(const std::string& path) const {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) return base::SystemError("mkdir", folder.string(), error.value());
  return base::WriteFile(path, Text(), {.replace = true});
}

std::string SeenCheckpoints::Sentence(const std::string& origin) const {
  const record::Checkpoint* last = Find(origin);
  if (last == nullptr) return "This machine has seen nothing of this record before.";
  return fmt::format("It extends the {} entries that this machine has seen before.", last->size);
}

base::Result<void> SeenCheckpoints::Check(const record::Checkpoint& checkpoint,
                                          const std::vector<Extension>& extensions) const {
  const record::Checkpoint* last = Find(checkpoint.origin);
  if (last == nullptr) return {};
  if (checkpoint.size < last->size) {
    return base::Refusal(
        "CRED-15",
        fmt::format("the request is for {} entries, and this machine has seen {} of this record already",
                    checkpoint.size, last->size),
        "an old request, or a record that was cut back: neither sign nor give anything, and ask for the reason");
  }
  if (checkpoint.size == last->size) {
    if (checkpoint.root == last->root) return {};
    return base::Refusal("CRED-16",
                         fmt::format("the request has the root {} at {} entries, this machine has seen {} there",
                                     base::HexEncode(checkpoint.root), checkpoint.size, base::HexEncode(last->root)),
                         "somebody keeps two histories of one record: neither sign nor give anything, keep both files, "
                         "and tell the auditor");
  }
  const auto found = std::ranges::find(extensions, last->size, &Extension::size);
  if (found == extensions.end()) {
    return base::Refusal(
        "CRED-17",
        fmt::format("the request does not prove that {} entries extend the {} that this machine has seen",
                    checkpoint.size, last->size),
        "have the room write the request again: it proves all sizes that were signed or seen");
  }
  const auto proven = record::VerifyConsistency(last->size, last->root, checkpoint.size, checkpoint.root, found->proof);
  if (!proven.ok()) {
    return base::Refusal(
        "CRED-17",
        fmt::format("the record of {} entries does not extend the {} that this machine has seen: {}", checkpoint.size,
                    last->size, proven.error().message),
        "its history was changed: neither sign nor give anything, keep the file, and tell the auditor");
  }
  return {};
}

void SeenCheckpoints::Remember(const record::Checkpoint& checkpoint) { seen_[checkpoint.origin] = checkpoint; }

const record::Checkpoint* SeenCheckpoints::Find(const std::string& origin) const {
  const auto found = seen_.find(origin);
  return found == seen_.end() ? nullptr : &found->second;
}

}  // namespace ceremony::quorum
