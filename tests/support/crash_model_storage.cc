#include "tests/support/crash_model_storage.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>
#include <variant>

namespace test_support {

using base::Bytes;
using base::Result;
using ceremony::record::AppendFile;
using ceremony::record::FileInfo;
using ceremony::record::FileKind;
using ceremony::record::ParentOf;
using ceremony::record::ReadFile;

struct CrashModelStorage::Node {
  // A pending change of content: bytes to append, or a size to cut to.
  using Change = std::variant<Bytes, std::uint64_t>;
  // Pending changes of names that come or go together; null takes a name away.
  using Renaming = std::vector<std::pair<std::string, std::shared_ptr<Node>>>;
  using Names = std::map<std::string, std::shared_ptr<Node>>;

  bool folder = false;
  bool locked = false;
  Bytes content, durable_content;
  std::vector<Change> changes;
  Names names, durable_names;
  std::vector<Renaming> renamings;

  void Apply(const Renaming& renaming) {
    Apply(renaming, names);
    renamings.push_back(renaming);
  }
  static void Apply(const Renaming& renaming, Names& names) {
    for (const auto& [name, node] : renaming) {
      if (node == nullptr)
        names.erase(name);
      else
        names[name] = node;
    }
  }
  static void Apply(const Change& change, Bytes& content) {
    if (const auto* bytes = std::get_if<Bytes>(&change))
      content.insert(content.end(), bytes->begin(), bytes->end());
    else
      content.resize(std::get<std::uint64_t>(change));
  }
  void Put(Change change) {
    Apply(change, content);
    changes.push_back(std::move(change));
  }

  std::vector<Bytes> ContentStates() const {
    std::set<Bytes> states = {durable_content};
    Bytes so_far = durable_content;
    for (const Change& change : changes) {
      if (const auto* bytes = std::get_if<Bytes>(&change)) {
        for (const std::size_t cut : {std::size_t{1}, bytes->size() / 2, bytes->size() - 1}) {
          if (cut == 0 || cut >= bytes->size()) continue;
          Bytes torn = so_far;
          torn.insert(torn.end(), bytes->begin(), bytes->begin() + static_cast<std::ptrdiff_t>(cut));
          states.insert(torn);
        }
        Bytes zeros = so_far;
        zeros.resize(so_far.size() + bytes->size());
        states.insert(zeros);
        // The end of the write reached the disk, its beginning did not.
        std::copy(bytes->begin() + static_cast<std::ptrdiff_t>(bytes->size() / 2), bytes->end(),
                  zeros.begin() + static_cast<std::ptrdiff_t>(so_far.size() + bytes->size() / 2));
        states.insert(zeros);
      }
      Apply(change, so_far);
      states.insert(so_far);
    }
    return {states.begin(), states.end()};
  }

  std::vector<Names> NameStates() const {
    std::vector<Names> states;
    const std::size_t n = renamings.size();
    if (n > 4) {
      Names so_far = durable_names;
      states.push_back(so_far);
      for (const Renaming& renaming : renamings) {
        Apply(renaming, so_far);
        states.push_back(so_far);
      }
      return states;
    }
    for (std::size_t chosen = 0; chosen < (std::size_t{1} << n); ++chosen) {
      Names subset = durable_names;
      for (std::size_t i = 0; i < n; ++i) {
        if ((chosen >> i & 1) != 0) Apply(renamings[i], subset);
      }
      states.push_back(std::move(subset));
    }
    return states;
  }

  void Collect(const std::string& path, Image& image) const {
    for (const auto& [name, node] : names) {
      const std::string below = ceremony::record::JoinPath(path, name);
      image[below] = node->folder ? std::nullopt : std::optional(node->content);
      if (node->folder) node->Collect(below, image);
    }
  }

  std::set<Image> States(const std::string& path) const {
    std::set<Image> states;
    for (const Names& subset : NameStates()) {
      std::set<Image> combined = {Image{}};
      for (const auto& [name, node] : subset) {
        const std::string below = ceremony::record::JoinPath(path, name);
        std::set<Image> own;
        if (node->folder) {
          for (Image image : node->States(below)) {
            image[below] = std::nullopt;
            own.insert(std::move(image));
          }
        } else {
          for (const Bytes& content_state : node->ContentStates()) own.insert(Image{{below, content_state}});
        }
        std::set<Image> next;
        for (const Image& left : combined) {
          for (Image both : own) {
            both.insert(left.begin(), left.end());
            next.insert(std::move(both));
          }
        }
        combined = std::move(next);
      }
      states.merge(combined);
    }
    return states;
  }
};

namespace {

base::Error Failure(const char* call, std::string_view path, int error_number) {
  return base::SystemError(call, std::string(path), error_number);
}

std::string NameOf(std::string_view path) {
  const std::string_view parent = ParentOf(path);
  return std::string(parent.empty() ? path : path.substr(parent.size() + 1));
}

template <typename Node>
class ModelAppendFile final : public AppendFile {
 public:
  ModelAppendFile(std::shared_ptr<Node> node, bool locks) : node_(std::move(node)), locks_(locks) {}
  ~ModelAppendFile() override {
    if (locks_) node_->locked = false;
  }
  Result<void> Append(base::ByteView bytes) override {
    node_->Put(base::ToBytes(bytes));
    return {};
  }
  Result<void> Sync() override {
    node_->durable_content = node_->content;
    node_->changes.clear();
    return {};
  }
  Result<void> Truncate(std::uint64_t size) override {
    node_->Put(size);
    return {};
  }

 private:
  std::shared_ptr<Node> node_;
  bool locks_;
};

template <typename Node>
class ModelReadFile final : public ReadFile {
 public:
  explicit ModelReadFile(std::shared_ptr<Node> node) : node_(std::move(node)) {}
  Result<std::size_t> ReadAt(std::uint64_t offset, std::span<std::uint8_t> out) override {
    if (offset >= node_->content.size()) return std::size_t{0};
    const std::size_t got = std::min(out.size(), node_->content.size() - offset);
    std::copy_n(node_->content.begin() + static_cast<std::ptrdiff_t>(offset), got, out.begin());
    return got;
  }

 private:
  std::shared_ptr<Node> node_;
};

}  // namespace

CrashModelStorage::CrashModelStorage() : root_(std::make_shared<Node>()) { root_->folder = true; }
CrashModelStorage::~CrashModelStorage() = default;

CrashModelStorage::CrashModelStorage(const Image& image) : CrashModelStorage() {
  for (const auto& [path, content] : image) {  // a folder sorts before what is in it
    auto node = std::make_shared<Node>();
    node->folder = !content.has_value();
    if (content.has_value()) node->content = node->durable_content = *content;
    const std::shared_ptr<Node> parent = Locate(ParentOf(path));
    parent->names[NameOf(path)] = parent->durable_names[NameOf(path)] = node;
  }
}

std::vector<CrashModelStorage::Image> CrashModelStorage::CrashStates() const {
  const std::set<Image> states = root_->States("");
  return {states.begin(), states.end()};
}

CrashModelStorage::Image CrashModelStorage::Now() const {
  Image image;
  root_->Collect("", image);
  return image;
}

std::shared_ptr<CrashModelStorage::Node> CrashModelStorage::Locate(std::string_view path) const {
  std::shared_ptr<Node> node = root_;
  while (!path.empty() && node != nullptr) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const auto found = node->names.find(std::string(path.substr(0, slash)));
    node = found == node->names.end() ? nullptr : found->second;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return node;
}

Result<std::shared_ptr<CrashModelStorage::Node>> CrashModelStorage::NeedFolder(std::string_view path) const {
  std::shared_ptr<Node> node = Locate(path);
  if (node == nullptr) return Failure("openat", path, ENOENT);
  if (!node->folder) return Failure("openat", path, ENOTDIR);
  return node;
}

Result<std::shared_ptr<CrashModelStorage::Node>> CrashModelStorage::NeedFile(std::string_view path) const {
  std::shared_ptr<Node> node = Locate(path);
  if (node == nullptr) return Failure("openat", path, ENOENT);
  if (node->folder) return Failure("openat", path, EISDIR);
  return node;
}

Result<std::unique_ptr<AppendFile>> CrashModelStorage::OpenFor(const std::shared_ptr<Node>& file, std::string_view path,
                                                               Lock lock) {
  if (lock == Lock::kExclusive) {
    if (file->locked)
      return base::Refusal("RECORD-LOCK-01", std::string(path) + " is being written by another process");
    file->locked = true;
  }
  return std::unique_ptr<AppendFile>(std::make_unique<ModelAppendFile<Node>>(file, lock == Lock::kExclusive));
}

Result<std::unique_ptr<AppendFile>> CrashModelStorage::CreateNew(std::string_view path, Lock lock) {
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<Node> parent, NeedFolder(ParentOf(path)));
  if (parent->names.contains(NameOf(path)))
    return base::Refusal("RECORD-OUT-01", std::string(path) + " exists already");
  const auto node = std::make_shared<Node>();
  parent->Apply({{NameOf(path), node}});
  return OpenFor(node, path, lock);
}

Result<std::unique_ptr<AppendFile>> CrashModelStorage::OpenAppend(std::string_view path, Lock lock) {
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<Node> file, NeedFile(path));
  return OpenFor(file, path, lock);
}

Result<std::unique_ptr<ReadFile>> CrashModelStorage::OpenRead(std::string_view path) {
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<Node> file, NeedFile(path));
  return std::unique_ptr<ReadFile>(std::make_unique<ModelReadFile<Node>>(file));
}

Result<void> CrashModelStorage::Move(std::string_view from, std::string_view to) {
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<Node> file, NeedFile(from));
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<Node> source, NeedFolder(ParentOf(from)));
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<Node> target, NeedFolder(ParentOf(to)));
  if (source == target) {
    source->Apply({{NameOf(to), file}, {NameOf(from), nullptr}});
  } else {
    target->Apply({{NameOf(to), file}});
    source->Apply({{NameOf(from), nullptr}});
  }
  return {};
}

Result<void> CrashModelStorage::Rename(std::string_view from, std::string_view to) {
  if (Locate(to) != nullptr) return base::Refusal("RECORD-OUT-01", std::string(to) + " exists already");
  return Move(from, to);
}

Result<void> CrashModelStorage::Replace(std::string_view from, std::string_view to) { return Move(from, to); }

Result<void> CrashModelStorage::Remove(std::string_view path) {
  KC_RETURN_IF_ERROR(NeedFile(path));
  Locate(ParentOf(path))->Apply({{NameOf(path), nullptr}});
  return {};
}

Result<void> CrashModelStorage::MakeFolder(std::string_view path) {
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<Node> parent, NeedFolder(ParentOf(path)));
  if (parent->names.contains(NameOf(path))) return Failure("mkdirat", path, EEXIST);
  const auto node = std::make_shared<Node>();
  node->folder = true;
  parent->Apply({{NameOf(path), node}});
  return {};
}

Result<void> CrashModelStorage::SyncFolder(std::string_view path) {
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<Node> folder, NeedFolder(path));
  folder->durable_names = folder->names;
  folder->renamings.clear();
  return {};
}

Result<std::vector<FileInfo>> CrashModelStorage::List(std::string_view path) {
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<Node> folder, NeedFolder(path));
  std::vector<FileInfo> files;
  for (const auto& [name, node] : folder->names) {
    files.push_back({name, node->folder ? FileKind::kFolder : FileKind::kFile, node->content.size()});
  }
  return files;
}

Result<std::optional<FileInfo>> CrashModelStorage::Find(std::string_view path) {
  const std::shared_ptr<Node> node = Locate(path);
  if (node == nullptr) return std::optional<FileInfo>{};
  return std::optional<FileInfo>(
      {NameOf(path), node->folder ? FileKind::kFolder : FileKind::kFile, node->content.size()});
}

}  // namespace test_support
