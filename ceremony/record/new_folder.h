// NewFolder is a folder in the making: `<path>.partial` until Publish gives it its name in one step, or
// `<path>.2.partial` where a program that was killed has left the other. Its destructor removes a folder that was not
// published.
#ifndef CEREMONY_RECORD_NEW_FOLDER_H_
#define CEREMONY_RECORD_NEW_FOLDER_H_

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "ceremony/record/posix_storage.h"
#include "ceremony/record/reader.h"

namespace ceremony::record {

class NewFolder final {
 public:
  // Make refuses (RECORD-OUT-01) when `path` exists; the folder around it must exist (kIo).
  static base::Result<NewFolder> Make(const std::string& path);
  ~NewFolder();
  NewFolder(NewFolder&& other) noexcept;
  NewFolder& operator=(NewFolder&&) = delete;
  NewFolder(const NewFolder&) = delete;  // one owner removes what was not published
  NewFolder& operator=(const NewFolder&) = delete;

  std::string path() const;  // of the folder as it is now

  // Create makes a file, and the folders above it; the caller syncs it.
  base::Result<std::unique_ptr<AppendFile>> Create(std::string_view relative);
  base::Result<void> Write(std::string_view relative, base::ByteView content);
  // Copy copies a file of any size from another folder.
  base::Result<void> Copy(const RecordFolder& from, std::string_view relative);

  // Publish makes everything durable and gives the folder its name; RECORD-OUT-01 when
  // that name was taken in the meantime.
  base::Result<void> Publish();

 private:
  NewFolder(std::unique_ptr<PosixStorage> storage, std::string parent, std::string name);
  base::Result<void> MakeFoldersOf(std::string_view relative);

  std::unique_ptr<PosixStorage> storage_;  // of the folder around it
  std::string parent_, name_, partial_;
  std::set<std::string, std::less<>> folders_;
  bool is_kept_ = true;  // or nothing was made yet
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_NEW_FOLDER_H_
