#include "ceremony/record/storage.h"

#include <fmt/format.h>

#include <array>

#include "ceremony/record/entry.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;

// On the stack, where a file of a few bytes touches one page of it: a record has dozens of them.
constexpr std::size_t kReadAtOnce = 65536;

std::string PartialOf(std::string_view path) { return fmt::format("{}{}", path, kPartialSuffix); }

// WritePartial leaves `<path>.partial` written and synced, name included or
// not as the caller's next step decides.
Result<void> WritePartial(Storage& storage, std::string_view path, base::ByteView content) {
  const std::string partial = PartialOf(path);
  KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> old, storage.Find(partial));
  if (old.has_value()) KC_RETURN_IF_ERROR(storage.Remove(partial));
  return WriteNewFile(storage, partial, content);
}

}  // namespace

Result<void> WriteNewFile(Storage& storage, std::string_view path, base::ByteView content) {
  KC_ASSIGN_OR_RETURN(const std::unique_ptr<AppendFile> file, storage.CreateNew(path, Storage::Lock::kNone));
  if (!content.empty()) KC_RETURN_IF_ERROR(file->Append(content));
  return file->Sync();
}

Result<void> PublishNewFile(Storage& storage, std::string_view path, base::ByteView content) {
  KC_RETURN_IF_ERROR(WritePartial(storage, path, content));
  KC_RETURN_IF_ERROR(storage.Rename(PartialOf(path), path));
  return storage.SyncFolder(ParentOf(path));
}

Result<void> ReplaceFile(Storage& storage, std::string_view path, base::ByteView content) {
  KC_RETURN_IF_ERROR(WritePartial(storage, path, content));
  KC_RETURN_IF_ERROR(storage.Replace(PartialOf(path), path));
  return storage.SyncFolder(ParentOf(path));
}

Result<base::Bytes> ReadWholeFile(Storage& storage, std::string_view path, std::uint64_t limit) {
  KC_ASSIGN_OR_RETURN(const std::unique_ptr<ReadFile> file, storage.OpenRead(path));
  base::Bytes content;
  std::array<std::uint8_t, kReadAtOnce> block;
  for (;;) {
    KC_ASSIGN_OR_RETURN(const std::size_t got, file->ReadAt(content.size(), block));
    content.insert(content.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(got));
    if (content.size() > limit) {
      return MakeError(ErrorCode::kIo,
                       fmt::format("{} has more than the {} bytes that such a file may have", path, limit));
    }
    if (got < kReadAtOnce) return content;
  }
}

Result<std::string> DigestFile(Storage& storage, std::string_view path) {
  KC_ASSIGN_OR_RETURN(const std::unique_ptr<ReadFile> file, storage.OpenRead(path));
  base::Sha256Stream digest;
  std::array<std::uint8_t, kReadAtOnce> block;
  for (std::uint64_t at = 0;;) {
    KC_ASSIGN_OR_RETURN(const std::size_t got, file->ReadAt(at, block));
    digest.Update({block.data(), got});
    if (got < block.size()) return base::HexEncode(digest.Finish());
    at += got;
  }
}

std::string JoinPath(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

std::string_view ParentOf(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

}  // namespace ceremony::record
