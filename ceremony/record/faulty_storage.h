// FaultyStorage passes every call on to another Storage and asks a hook before
// each: the hook counts, lets the call pass, makes it fail with an errno,
// writes only part of an append, or ends the process. It is in the product because
// rehearsals practise failures with it.
#ifndef CEREMONY_RECORD_FAULTY_STORAGE_H_
#define CEREMONY_RECORD_FAULTY_STORAGE_H_

#include <cstdint>
#include <functional>
#include <string_view>

#include "ceremony/record/storage.h"

namespace ceremony::record {

struct StorageCall {
  std::uint64_t index = 0;  // from 0, over the life of the FaultyStorage
  std::string_view name;    // "append", "sync", "truncate", "create-new", "open-append", "open-read", "read-at",
                            // "rename", "replace", "remove", "make-folder", "sync-folder", "list", "find"
  std::string_view path;
  bool changes = false;  // false for open-read, read-at, list, find
};

struct StorageFault {
  int error_number = 0;                     // 0: no fault
  std::optional<std::size_t> written = {};  // an append: this many bytes reach the file before it fails
};

class FaultyStorage final : public Storage {
 public:
  using Hook = std::function<StorageFault(const StorageCall&)>;

  // `under` must outlive this storage and the files it opened. A hook that
  // kills calls _exit or raises a signal and does not come back.
  FaultyStorage(Storage& under, Hook hook);
  ~FaultyStorage() override;

  // FailAt returns a hook that fails call `index` with `error_number`.
  static Hook FailAt(std::uint64_t index, int error_number);

  // calls returns how many calls there were so far.
  std::uint64_t calls() const;

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
  class Gate;
  Storage& under_;
  std::shared_ptr<Gate> gate_;
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_FAULTY_STORAGE_H_
