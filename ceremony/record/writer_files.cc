// The files that a record holds besides its log: inputs, policy, artefacts, disclosures.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/record/disclosure.h"
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
  // What the profile would refuse must not leave a half-written file behind.
  KC_RETURN_IF_ERROR(Canonicalise(fields));

  const std::string path = state_->PathOf(JoinPath(kArtefactsFolder, name));
  const std::string partial = fmt::format("{}{}", path, kPartialSuffix);
  KC_RETURN_IF_ERROR(state_->EnsureFolder(ParentOf(JoinPath(kArtefactsFolder, name))));
  KC_RETURN_IF_ERROR(state_->Guarded(WriteNewFile(state_->storage(), partial, content)));
  // The entry promises the file: its temporary name must survive a power cut
  // before the entry does, or recovery would find the promise alone.
  KC_RETURN_IF_ERROR(state_->Guarded(state_->storage().SyncFolder(ParentOf(path))));
  KC_ASSIGN_OR_RETURN(const std::uint64_t seq, state_->Write(EntryType::kArtefact, std::move(fields)));
  KC_RETURN_IF_ERROR(state_->Guarded(state_->storage().Rename(partial, path)));
  KC_RETURN_IF_ERROR(state_->Guarded(state_->storage().SyncFolder(ParentOf(path))));
  return seq;
}

Result<json> Writer::Confidential(std::string_view name, const json& value) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  if (state_->closed) return MakeError(ErrorCode::kInternal, "a confidential value after the record was closed");
  KC_ASSIGN_OR_RETURN(const Disclosure disclosure, Withhold(name, value));
  const std::string path = state_->PathOf(kDisclosuresFile);
  if (state_->disclosures == nullptr) {
    KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> found, state_->storage().Find(path));
    KC_ASSIGN_OR_RETURN(state_->disclosures,
                        state_->Guarded(found.has_value() ? state_->storage().OpenAppend(path, Storage::Lock::kNone)
                                                          : state_->storage().CreateNew(path, Storage::Lock::kNone)));
    KC_RETURN_IF_ERROR(state_->Guarded(state_->storage().SyncFolder(state_->options.folder)));
  }
  const std::string line = fmt::format("{{\"{}\":\"{}\"}}\n", kDisclosureKey, disclosure.d);
  KC_RETURN_IF_ERROR(state_->Guarded(state_->disclosures->Append(base::AsBytes(line))));
  KC_RETURN_IF_ERROR(state_->Guarded(state_->disclosures->Sync()));
  return json{{kSaltedDigestKey, disclosure.digest}};
}

}  // namespace ceremony::record
