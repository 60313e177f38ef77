// PosixStorage is a Storage on a real folder: openat2 or openat from one folder
// descriptor, by no symbolic link, O_APPEND | O_CLOEXEC, fdatasync, flock, renameat2.
#ifndef CEREMONY_RECORD_POSIX_STORAGE_H_
#define CEREMONY_RECORD_POSIX_STORAGE_H_

#include <memory>
#include <string>

#include "ceremony/record/storage.h"

namespace ceremony::record {

class PosixStorage final : public Storage {
 public:
  // Open takes a folder that exists (kNotFound, kIo otherwise). Error messages
  // name files below it as the person who gave `root` would.
  static base::Result<std::unique_ptr<PosixStorage>> Open(const std::string& root);
  ~PosixStorage() override;
  PosixStorage(const PosixStorage&) = delete;  // one owner of the folder descriptor
  PosixStorage& operator=(const PosixStorage&) = delete;

  base::Result<std::unique_ptr<AppendFile>> CreateNew(std::string_view path, Lock lock) override;
  base::Result<std::unique_ptr<AppendFile>> OpenAppend(std::string_view path, Lock lock) override;
  base::Result<std::unique_ptr<ReadFile>> OpenRead(std::string_view path) override;
  base::Result<void> Rename(std::string_view from, std::string_view to) override;
  base::Result<void> Replace(std::string_view from, std::string_view to) override;
  base::Result<void> Remove(std::string_view path) override;
  base::Result<void> MakeFolder(std::string_view path) override;
  base::Result<void> SyncFolder(std::string_view path) override;
  base::Result<std::vector<FileInfo>> List(std::string_view path) override;
  base::Result<std::optional<FileInfo>> Find(std::string_view path) override;

 private:
  struct State;
  explicit PosixStorage(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the files it opened: they fail together
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_POSIX_STORAGE_H_
