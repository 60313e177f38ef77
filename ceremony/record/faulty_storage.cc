#include "ceremony/record/faulty_storage.h"

#include <cerrno>
#include <string>
#include <utility>

namespace ceremony::record {
namespace {
using base::Result;
}

// Gate is shared by the storage and the files it opened: one count of calls.
class FaultyStorage::Gate final {
 public:
  explicit Gate(Hook hook) : hook_(std::move(hook)) {}

  StorageFault Ask(std::string_view name, std::string_view path, bool changes) {
    return hook_(StorageCall{calls_++, name, path, changes});
  }

  Result<void> Pass(const char* name, std::string_view path, bool changes) {
    const StorageFault fault = Ask(name, path, changes);
    if (fault.error_number != 0) return Injected(name, path, fault);
    return {};
  }

  static base::Error Injected(const char* name, std::string_view path, const StorageFault& fault) {
    base::Error error = base::SystemError(name, std::string(path), fault.error_number);
    error.code = base::ErrorCode::kIo;
    return error;
  }

  std::uint64_t calls() const { return calls_; }

 private:
  Hook hook_;
  std::uint64_t calls_ = 0;
};

namespace {

template <typename Gate>
class FaultyAppendFile final : public AppendFile {
 public:
  FaultyAppendFile(std::unique_ptr<AppendFile> under, std::shared_ptr<Gate> gate, std::string path)
      : under_(std::move(under)), gate_(std::move(gate)), path_(std::move(path)) {}

  Result<void> Append(base::ByteView bytes) override {
    const StorageFault fault = gate_->Ask("append", path_, true);
    if (fault.error_number == 0) return under_->Append(bytes);
    if (fault.written.has_value())
      KC_RETURN_IF_ERROR(under_->Append(bytes.first(std::min(*fault.written, bytes.size()))));
    return Gate::Injected("append", path_, fault);
  }
  Result<void> Sync() override {
    KC_RETURN_IF_ERROR(gate_->Pass("sync", path_, true));
    return under_->Sync();
  }
  Result<void> Truncate(std::uint64_t size) override {
    KC_RETURN_IF_ERROR(gate_->Pass("truncate", path_, true));
    return under_->Truncate(size);
  }

 private:
  std::unique_ptr<AppendFile> under_;
  std::shared_ptr<Gate> gate_;
  std::string path_;
};

template <typename Gate>
class FaultyReadFile final : public ReadFile {
 public:
  FaultyReadFile(std::unique_ptr<ReadFile> under, std::shared_ptr<Gate> gate, std::string path)
      : under_(std::move(under)), gate_(std::move(gate)), path_(std::move(path)) {}

  Result<std::size_t> ReadAt(std::uint64_t offset, std::span<std::uint8_t> out) override {
    KC_RETURN_IF_ERROR(gate_->Pass("read-at", path_, false));
    return under_->ReadAt(offset, out);
  }

 private:
  std::unique_ptr<ReadFile> under_;
  std::shared_ptr<Gate> gate_;
  std::string path_;
};

}  // namespace

FaultyStorage::FaultyStorage(Storage& under, Hook hook)
    : under_(under), gate_(std::make_shared<Gate>(std::move(hook))) {}
FaultyStorage::~FaultyStorage() = default;

FaultyStorage::Hook FaultyStorage::FailAt(std::uint64_t index, int error_number) {
  return
      [index, error_number](const StorageCall& call) { return StorageFault{call.index == index ? error_number : 0}; };
}

std::uint64_t FaultyStorage::calls() const { return gate_->calls(); }

Result<std::unique_ptr<AppendFile>> FaultyStorage::CreateNew(std::string_view path, Lock lock) {
  KC_RETURN_IF_ERROR(gate_->Pass("create-new", path, true));
  KC_ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file, under_.CreateNew(path, lock));
  return std::unique_ptr<AppendFile>(
      std::make_unique<FaultyAppendFile<Gate>>(std::move(file), gate_, std::string(path)));
}

Result<std::unique_ptr<AppendFile>> FaultyStorage::OpenAppend(std::string_view path, Lock lock) {
  KC_RETURN_IF_ERROR(gate_->Pass("open-append", path, true));
  KC_ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file, under_.OpenAppend(path, lock));
  return std::unique_ptr<AppendFile>(
      std::make_unique<FaultyAppendFile<Gate>>(std::move(file), gate_, std::string(path)));
}

Result<std::unique_ptr<ReadFile>> FaultyStorage::OpenRead(std::string_view path) {
  KC_RETURN_IF_ERROR(gate_->Pass("open-read", path, false));
  KC_ASSIGN_OR_RETURN(std::unique_ptr<ReadFile> file, under_.OpenRead(path));
  return std::unique_ptr<ReadFile>(std::make_unique<FaultyReadFile<Gate>>(std::move(file), gate_, std::string(path)));
}

Result<void> FaultyStorage::Rename(std::string_view from, std::string_view to) {
  KC_RETURN_IF_ERROR(gate_->Pass("rename", to, true));
  return under_.Rename(from, to);
}

Result<void> FaultyStorage::Replace(std::string_view from, std::string_view to) {
  KC_RETURN_IF_ERROR(gate_->Pass("replace", to, true));
  return under_.Replace(from, to);
}

Result<void> FaultyStorage::Remove(std::string_view path) {
  KC_RETURN_IF_ERROR(gate_->Pass("remove", path, true));
  return under_.Remove(path);
}

Result<void> FaultyStorage::MakeFolder(std::string_view path) {
  KC_RETURN_IF_ERROR(gate_->Pass("make-folder", path, true));
  return under_.MakeFolder(path);
}

Result<void> FaultyStorage::SyncFolder(std::string_view path) {
  KC_RETURN_IF_ERROR(gate_->Pass("sync-folder", path, true));
  return under_.SyncFolder(path);
}

Result<std::vector<FileInfo>> FaultyStorage::List(std::string_view path) {
  KC_RETURN_IF_ERROR(gate_->Pass("list", path, false));
  return under_.List(path);
}

Result<std::optional<FileInfo>> FaultyStorage::Find(std::string_view path) {
  KC_RETURN_IF_ERROR(gate_->Pass("find", path, false));
  return under_.Find(path);
}

}  // namespace ceremony::record
