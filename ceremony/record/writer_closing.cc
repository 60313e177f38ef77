// The end of a record: final checkpoint, its cosignatures, the addendum.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/record/writer_state.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;

// Lists a folder of the record and those below; names are paths in the record.
Result<void> Walk(Storage& storage, const std::string& record, const std::string& below, std::vector<FileInfo>& files) {
  KC_ASSIGN_OR_RETURN(const std::vector<FileInfo> found,
                      storage.List(below.empty() ? record : JoinPath(record, below)));
  for (const FileInfo& file : found) {
    std::string path = JoinPath(below, file.name);
    if (file.kind == FileKind::kFolder) {
      KC_RETURN_IF_ERROR(Walk(storage, record, path, files));
    } else {
      files.push_back({std::move(path), file.kind, file.size});
    }
  }
  return {};
}

bool IsOutsideAddendum(std::string_view path) {
  return path == kDisclosuresFile || path == kAddendumFile ||
         (path.starts_with(kAddendumFile) && path.substr(kAddendumFile.size()) == kPartialSuffix);
}

}  // namespace

Result<std::vector<FileInfo>> Writer::State::Files() const {
  std::vector<FileInfo> files;
  KC_RETURN_IF_ERROR(Walk(storage(), options.folder, "", files));
  std::ranges::sort(files, {}, &FileInfo::name);
  return files;
}

Result<std::string> Writer::State::DigestLines() const {
  KC_ASSIGN_OR_RETURN(const std::vector<FileInfo> files, Files());
  std::string lines;
  for (const FileInfo& file : files) {
    if (IsOutsideAddendum(file.name)) continue;
    if (file.kind != FileKind::kFile || !IsSafePath(file.name) || file.name.ends_with(kPartialSuffix)) {
      return base::Refusal("RECORD-ADDENDUM-01", fmt::format("\"{}\" does not belong into a record", file.name),
                           "move it out of the record's folder; a record holds plain files with plain names");
    }
    KC_ASSIGN_OR_RETURN(const std::string digest, DigestFile(storage(), PathOf(file.name)));
    lines += fmt::format("{}  {}\n", digest, file.name);
  }
  return lines;
}

Result<record::Checkpoint> Writer::FinalCheckpoint(NoteSigner& log_key) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  if (!state_->closed) return Misuse("the final checkpoint before the close entry");
  if (state_->final_note.has_value()) return Misuse("a second final checkpoint");
  KC_RETURN_IF_ERROR(state_->CheckLogKey(log_key));
  KC_RETURN_IF_ERROR(state_->ReadBackAll());
  const record::Checkpoint checkpoint{state_->origin, state_->size(), state_->read_back.Root()};
  Note note{checkpoint.Text(), {}};
  KC_ASSIGN_OR_RETURN(SignatureLine line, SignText(note.text, log_key));
  note.signatures.push_back(std::move(line));
  const std::string bytes = note.Serialise();
  KC_RETURN_IF_ERROR(
      state_->Guarded(PublishNewFile(state_->storage(), state_->PathOf(kCheckpointFile), base::AsBytes(bytes))));
  state_->final_note = std::move(note);
  state_->last_checkpoint = checkpoint;
  return checkpoint;
}

Result<void> Writer::AddCosignature(const Cosignature& cosignature) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  if (!state_->final_note.has_value()) return Misuse("a cosignature before the final checkpoint");
  if (state_->addendum) return Misuse("a cosignature after the addendum");
  KC_RETURN_IF_ERROR(VerifyCosignature(state_->final_note->text, cosignature));
  Note note = *state_->final_note;
  for (const SignatureLine& line : note.signatures) {
    if (line.IsBy(cosignature.key)) {
      return base::Refusal("RECORD-COSIGN-01",
                           fmt::format("{} has signed the final checkpoint already", cosignature.key.name()),
                           "each key signs once; another custodian must sign");
    }
  }
  note.signatures.push_back(cosignature.line);
  const std::string bytes = note.Serialise();
  KC_RETURN_IF_ERROR(
      state_->Guarded(ReplaceFile(state_->storage(), state_->PathOf(kCheckpointFile), base::AsBytes(bytes))));
  state_->final_note = std::move(note);
  return {};
}

Result<std::string> Writer::AddendumText(const nlohmann::json& evidence) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  if (!state_->final_note.has_value() || state_->addendum)
    return Misuse("the addendum is written once, after the final checkpoint");
  KC_ASSIGN_OR_RETURN(const std::string line, Canonicalise(evidence));
  KC_ASSIGN_OR_RETURN(const std::string digests, state_->DigestLines());
  return fmt::format("{}/addendum\n{}\n{}", state_->origin, line, digests);
}

Result<void> Writer::PublishAddendum(const std::string& text, std::span<const Cosignature> cosignatures) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  if (!state_->final_note.has_value() || state_->addendum)
    return Misuse("the addendum is written once, after the final checkpoint");
  if (cosignatures.empty()) return MakeError(ErrorCode::kInvalidInput, "an addendum without a signature");
  const std::size_t first = text.find('\n');
  const std::size_t second = first == std::string::npos ? first : text.find('\n', first + 1);
  if (second == std::string::npos) return MakeError(ErrorCode::kInvalidInput, "an addendum of fewer than three lines");
  const nlohmann::json evidence = nlohmann::json::parse(text.substr(first + 1, second - first - 1), nullptr, false);
  KC_ASSIGN_OR_RETURN(const std::string expected, AddendumText(evidence));
  if (text != expected) {
    return MakeError(ErrorCode::kInvalidInput, "the addendum that was signed does not fit the files of the record")
        .WithHint("a file changed since the text was made: make it again and have it signed again");
  }
  Note note{text, {}};
  for (const Cosignature& cosignature : cosignatures) {
    KC_RETURN_IF_ERROR(VerifyCosignature(text, cosignature));
    note.signatures.push_back(cosignature.line);
  }
  const std::string bytes = note.Serialise();
  // One reader for one format: what it refuses (a key that signed twice) is not written.
  if (Result<Note> parsed = Note::Parse(bytes); !parsed.ok())
    return MakeError(ErrorCode::kInvalidInput, parsed.error().message);
  KC_RETURN_IF_ERROR(
      state_->Guarded(PublishNewFile(state_->storage(), state_->PathOf(kAddendumFile), base::AsBytes(bytes))));
  state_->addendum = true;
  return {};
}

}  // namespace ceremony::record
