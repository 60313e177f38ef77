// The files that a record holds besides its log: inputs, policy, artefacts, disclosures.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/record/disclosure_audit.h"
#include "ceremony/record/writer_state.h"
#include "hsm/base/digest.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;
using nlohmann::json;

base::Error Taken(const std::string& path) {
  return base::Refusal("RECORD-OUT-01", fmt::format("{} exists already", path),
                       "nothing is ever overwritten: choose another name");
}

std::string LineOf(const Disclosure& opening) { return fmt::format("{{\"{}\":\"{}\"}}\n", kDisclosureKey, opening.d); }

Result<void> CheckName(std::string_view name, bool good) {
  if (good && !name.ends_with(kPartialSuffix)) return {};
  return MakeError(ErrorCode::kInvalidInput, fmt::format("\"{}\" cannot name a file of a record", name))
      .WithHint("use letters, digits, dots, hyphens and underscores; not .partial at the end");
}

}  // namespace

Result<std::string> Writer::StoreInput(std::string_view name, base::ByteView content) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  if (state_->size() != 0) return MakeError(ErrorCode::kInternal, "an input after the open entry");
  KC_RETURN_IF_ERROR(CheckName(name, IsSafeName(name)));
  const std::string path = state_->PathOf(JoinPath(kInputsFolder, name));
  KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> found, state_->storage().Find(path));
  if (found.has_value()) return Taken(path);
  KC_RETURN_IF_ERROR(state_->Guarded(PublishNewFile(state_->storage(), path, content)));
  return base::Sha256Hex(content);
}

Result<void> Writer::StorePolicy(const Policy& policy) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  const std::string path = state_->PathOf(kPolicyFile);
  KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> found, state_->storage().Find(path));
  if (found.has_value()) return Taken(path);
  const std::string text = policy.Text();
  return state_->Guarded(PublishNewFile(state_->storage(), path, base::AsBytes(text)));
}

Result<void> Writer::CheckOutputFree(std::string_view name) {
  KC_RETURN_IF_ERROR(CheckName(name, IsSafePath(name)));
  for (const std::string_view suffix : {std::string_view(), kPartialSuffix}) {
    const std::string path = state_->PathOf(JoinPath(kArtefactsFolder, name)).append(suffix);
    KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> found, state_->storage().Find(path));
    if (found.has_value()) return Taken(path);
  }
  return {};
}

Result<std::uint64_t> Writer::WriteArtefact(std::string_view name, base::ByteView content, std::string_view kind) {
  return WriteArtefact(name, content, kind, json::object());
}

Result<std::uint64_t> Writer::WriteArtefact(std::string_view name, base::ByteView content, std::string_view kind,
                                            json extra) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  if (state_->size() == 0 || state_->closed)
    return MakeError(ErrorCode::kInternal, "an artefact outside an open record");
  KC_RETURN_IF_ERROR(CheckOutputFree(name));
  json fields = extra.is_null() ? json::object() : std::move(extra);
  if (!fields.is_object())
    return MakeError(ErrorCode::kInternal, "the further fields of an artefact are not an object");
  fields["name"] = name;
  fields["sha256"] = base::Sha256Hex(content);
  fields["size"] = content.size();
  fields["kind"] = kind;
  // What is refused must not leave a half-written file behind.
  KC_ASSIGN_OR_RETURN(const json entry, state_->Prepare(EntryType::kArtefact, std::move(fields)));

  const std::string path = state_->PathOf(JoinPath(kArtefactsFolder, name));
  const std::string partial = fmt::format("{}{}", path, kPartialSuffix);
  KC_RETURN_IF_ERROR(state_->EnsureFolder(ParentOf(JoinPath(kArtefactsFolder, name))));
  KC_RETURN_IF_ERROR(state_->Guarded(WriteNewFile(state_->storage(), partial, content)));
  // The entry promises the file: its temporary name must survive a power cut
  // before the entry does, or recovery would find the promise alone.
  KC_RETURN_IF_ERROR(state_->Guarded(state_->storage().SyncFolder(ParentOf(path))));
  KC_ASSIGN_OR_RETURN(const std::uint64_t seq, state_->Commit(EntryType::kArtefact, entry));
  KC_RETURN_IF_ERROR(state_->Guarded(state_->storage().Rename(partial, path)));
  KC_RETURN_IF_ERROR(state_->Guarded(state_->storage().SyncFolder(ParentOf(path))));
  return seq;
}

Result<void> Writer::State::Withhold(json& fields) {
  openings.clear();
  KC_RETURN_IF_ERROR(WithholdMarked(fields, openings));
  if (openings.empty()) return {};
  if (closed) return MakeError(ErrorCode::kInternal, "a confidential value after the record was closed");
  KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> found, Guarded(storage().Find(PathOf(kDisclosuresFile))));
  std::uint64_t bytes = found.has_value() ? found->size : 0;
  for (const Disclosure& opening : openings) bytes += LineOf(opening).size();
  if (bytes <= kMaxDisclosureFile) return {};
  return MakeError(ErrorCode::kInvalidInput,
                   fmt::format("{} would have {} bytes, at most {} may be confidential in a record", kDisclosuresFile,
                               bytes, kMaxDisclosureFile))
      .WithHint("keep large values elsewhere, and enter their digests");
}

Result<void> Writer::State::WriteOpenings() {
  if (openings.empty()) return {};
  if (disclosures == nullptr) {
    const std::string path = PathOf(kDisclosuresFile);
    KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> found, Guarded(storage().Find(path)));
    KC_ASSIGN_OR_RETURN(disclosures, Guarded(found.has_value() ? storage().OpenAppend(path, Storage::Lock::kNone)
                                                               : storage().CreateNew(path, Storage::Lock::kNone)));
    KC_RETURN_IF_ERROR(Guarded(storage().SyncFolder(options.folder)));
  }
  std::string lines;
  for (const Disclosure& opening : openings) lines += LineOf(opening);
  KC_RETURN_IF_ERROR(Guarded(disclosures->Append(base::AsBytes(lines))));
  return Guarded(disclosures->Sync());
}

}  // namespace ceremony::record
