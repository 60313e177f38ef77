#include "ceremony/record/new_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "ceremony/record/entry.h"

namespace ceremony::record {

using base::FileDescriptor;
using base::Result;

namespace {

// What a program that was killed has left stays where it is, and is in nobody's way.
Result<std::string> FreePartialName(PosixStorage& storage, const std::string& name) {
  std::string partial = fmt::format("{}{}", name, kPartialSuffix);
  for (unsigned number = 2;; ++number) {
    KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> taken, storage.Find(partial));
    if (!taken) return partial;
    partial = fmt::format("{}.{}{}", name, number, kPartialSuffix);
  }
}

}  // namespace

NewFolder::NewFolder(std::unique_ptr<PosixStorage> storage, std::string parent, std::string name)
    : storage_(std::move(storage)), parent_(std::move(parent)), name_(std::move(name)) {}

NewFolder::NewFolder(NewFolder&& other) noexcept
    : storage_(std::move(other.storage_)),
      parent_(std::move(other.parent_)),
      name_(std::move(other.name_)),
      partial_(std::move(other.partial_)),
      folders_(std::move(other.folders_)),
      is_kept_(std::exchange(other.is_kept_, true)) {}

NewFolder::~NewFolder() {
  if (is_kept_) return;
  std::error_code ignored;  // what was written is of no use, and the error that led here is told
  std::filesystem::remove_all(path(), ignored);
}

Result<NewFolder> NewFolder::Make(const std::string& path) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  const std::filesystem::path whole(trimmed);
  const std::string name = whole.filename().string();
  const std::string parent = whole.has_parent_path() ? whole.parent_path().string() : ".";
  if (name.empty() || name == "." || name == "..") {
    return base::MakeError(base::ErrorCode::kInvalidInput, fmt::format("{} cannot name a new folder", path));
  }
  Result<std::unique_ptr<PosixStorage>> storage = PosixStorage::Open(parent);
  if (!storage.ok()) {
    base::Error error = std::move(storage).error();
    error.code = base::ErrorCode::kIo;  // where it is written, not what is read
    return error;
  }
  NewFolder folder(std::move(storage).value(), parent, name);
  KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> taken, folder.storage_->Find(name));
  if (taken) {
    return base::Refusal("RECORD-OUT-01", fmt::format("{}/{} exists already", parent, name),
                         "nothing is ever overwritten: move it away or choose another name");
  }
  KC_ASSIGN_OR_RETURN(folder.partial_, FreePartialName(*folder.storage_, name));
  KC_RETURN_IF_ERROR(folder.storage_->MakeFolder(folder.partial_));
  folder.is_kept_ = false;
  return folder;
}

std::string NewFolder::path() const { return fmt::format("{}/{}", parent_, partial_); }

Result<void> NewFolder::MakeFoldersOf(std::string_view relative) {
  for (std::size_t at = relative.find('/'); at != std::string_view::npos; at = relative.find('/', at + 1)) {
    const std::string_view folder = relative.substr(0, at);
    if (folders_.contains(folder)) continue;
    KC_RETURN_IF_ERROR(storage_->MakeFolder(JoinPath(partial_, folder)));
    folders_.emplace(folder);
  }
  return {};
}

Result<std::unique_ptr<AppendFile>> NewFolder::Create(std::string_view relative) {
  KC_RETURN_IF_ERROR(MakeFoldersOf(relative));
  return storage_->CreateNew(JoinPath(partial_, relative), Storage::Lock::kNone);
}

Result<void> NewFolder::Write(std::string_view relative, base::ByteView content) {
  KC_ASSIGN_OR_RETURN(const std::unique_ptr<AppendFile> file, Create(relative));
  if (!content.empty()) KC_RETURN_IF_ERROR(file->Append(content));
  return file->Sync();
}

Result<void> NewFolder::Copy(const RecordFolder& from, std::string_view relative) {
  KC_ASSIGN_OR_RETURN(const FileDescriptor source, from.OpenFile(relative));
  KC_ASSIGN_OR_RETURN(const std::unique_ptr<AppendFile> target, Create(relative));
  base::Bytes buffer(1u << 18);
  for (;;) {
    const ssize_t count = source.ReadSome(buffer);
    if (count < 0) return base::SystemError("read", std::string(relative), errno);
    if (count == 0) return target->Sync();
    KC_RETURN_IF_ERROR(target->Append({buffer.data(), static_cast<std::size_t>(count)}));
  }
}

Result<void> NewFolder::Publish() {
  for (const std::string& folder : folders_) KC_RETURN_IF_ERROR(storage_->SyncFolder(JoinPath(partial_, folder)));
  KC_RETURN_IF_ERROR(storage_->SyncFolder(partial_));
  KC_RETURN_IF_ERROR(storage_->Rename(partial_, name_));
  is_kept_ = true;
  return storage_->SyncFolder("");
}

}  // namespace ceremony::record
