// CrashModelStorage is a Storage in memory that knows, for every file and every
// folder, what is durable and what is only pending, and enumerates what a
// power cut could leave behind. It promises less than any real file system:
//
// - a file's pending appends and truncations survive as a prefix; the last
//   append that survives may be torn, or its bytes may be zeros;
// - a folder's pending names survive in any combination (as a prefix when
//   there are more than four), a rename within a folder entirely or not at
//   all, a rename between folders as two independent changes;
// - syncing a file says nothing about its name, syncing a folder nothing about
//   what the names stand for.
#ifndef TESTS_SUPPORT_CRASH_MODEL_STORAGE_H_
#define TESTS_SUPPORT_CRASH_MODEL_STORAGE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ceremony/record/storage.h"

namespace test_support {

class CrashModelStorage final : public ceremony::record::Storage {
 public:
  // Image is all that is on a disk: path to content, nothing for a folder.
  using Image = std::map<std::string, std::optional<base::Bytes>>;

  CrashModelStorage();
  // Starts with an image, all of it durable.
  explicit CrashModelStorage(const Image& image);
  ~CrashModelStorage() override;

  // CrashStates returns every image that a power cut now could leave, each once.
  std::vector<Image> CrashStates() const;
  // Now is what a program sees, and what a killed process leaves.
  Image Now() const;

  base::Result<std::unique_ptr<ceremony::record::AppendFile>> CreateNew(std::string_view path, Lock lock) override;
  base::Result<std::unique_ptr<ceremony::record::AppendFile>> OpenAppend(std::string_view path, Lock lock) override;
  base::Result<std::unique_ptr<ceremony::record::ReadFile>> OpenRead(std::string_view path) override;
  base::Result<void> Rename(std::string_view from, std::string_view to) override;
  base::Result<void> Replace(std::string_view from, std::string_view to) override;
  base::Result<void> Remove(std::string_view path) override;
  base::Result<void> MakeFolder(std::string_view path) override;
  base::Result<void> SyncFolder(std::string_view path) override;
  base::Result<std::vector<ceremony::record::FileInfo>> List(std::string_view path) override;
  base::Result<std::optional<ceremony::record::FileInfo>> Find(std::string_view path) override;

 private:
  struct Node;
  std::shared_ptr<Node> Locate(std::string_view path) const;
  base::Result<std::shared_ptr<Node>> NeedFolder(std::string_view path) const;
  base::Result<std::shared_ptr<Node>> NeedFile(std::string_view path) const;
  base::Result<std::unique_ptr<ceremony::record::AppendFile>> OpenFor(const std::shared_ptr<Node>& file,
                                                                      std::string_view path, Lock lock);
  base::Result<void> Move(std::string_view from, std::string_view to);
  std::shared_ptr<Node> root_;
};

}  // namespace test_support

#endif  // TESTS_SUPPORT_CRASH_MODEL_STORAGE_H_
