#include "ceremony/record/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "ceremony/record/disclosure.h"
#include "ceremony/record/writer_state.h"
#include "hsm/base/clock_text.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;
using nlohmann::json;

constexpr std::uint64_t kMaxDisclosureBytes = 1u << 30;
constexpr std::size_t kMaxMissingNamed = 50;

// Digests in `_sd` members anywhere in an entry.
void CollectSaltedDigests(const json& value, std::set<std::string>& digests) {
  if (!value.is_structured()) return;
  for (const auto& [key, member] : value.items()) {
    if (value.is_object() && key == kSaltedDigestKey && member.is_string()) digests.insert(member.get<std::string>());
    CollectSaltedDigests(member, digests);
  }
}

// What recovery itself looks for in an entry. What else may be missing it takes as a verifier does.
bool HasWhatIsLookedFor(EntryType type, const json& entry) {
  const auto has = [&](const char* name, json::value_t kind) {
    const auto found = entry.find(name);
    if (found == entry.end()) return false;
    return kind == json::value_t::string ? found->is_string() : found->is_number_integer();
  };
  const auto has_text = [&](const char* name) { return has(name, json::value_t::string); };
  switch (type) {
    case EntryType::kOpen:
      return has_text("origin") && has_text("log_key");
    case EntryType::kStep:
      return has_text("id") && has_text("do") && has_text("phase");
    case EntryType::kIntent:
    case EntryType::kDone:
      return has("call", json::value_t::number_integer);
    case EntryType::kArtefact:
      return has_text("name") && has_text("sha256");
    case EntryType::kCheckpoint:
      return has_text("note");
    default:
      return true;
  }
}

json ToJson(const SetAside& file) { return {{"name", file.name}, {"sha256", file.sha256}, {"size", file.size}}; }

}  // namespace

// RecoveryRun is one recovery: read the log, judge it, tidy the folder, append `recover`.
class RecoveryRun final {
 public:
  RecoveryRun(Writer::Options options, const std::function<void(const json&)>& visit)
      : state_(std::make_unique<Writer::State>(std::move(options))), visit_(visit) {}

  Result<Recovered> Run() {
    KC_ASSIGN_OR_RETURN(state_->log, storage().OpenAppend(Path(kLogFile), Storage::Lock::kExclusive));
    KC_RETURN_IF_ERROR(CheckNotComplete());
    KC_RETURN_IF_ERROR(ReadLog());
    KC_RETURN_IF_ERROR(JudgeTail());
    KC_RETURN_IF_ERROR(ReadFinalCheckpoint());
    // From here on the folder is changed. First make durable what was read: a
    // killed process leaves lines that a power cut would still take away.
    KC_RETURN_IF_ERROR(state_->log->Sync());
    KC_RETURN_IF_ERROR(storage().SyncFolder(state_->options.folder));
    KC_RETURN_IF_ERROR(TidyPartials());
    KC_RETURN_IF_ERROR(CutTorn());
    KC_RETURN_IF_ERROR(CheckArtefacts());
    KC_RETURN_IF_ERROR(TidyDisclosures());
    KC_RETURN_IF_ERROR(AppendRecover());
    for (auto& [call, intent] : dangling_) found_.dangling.push_back(std::move(intent));
    for (auto& [id, step] : open_steps_) found_.open_steps.push_back(std::move(step));
    std::ranges::sort(found_.dangling, {}, SeqOf);
    std::ranges::sort(found_.open_steps, {}, SeqOf);
    found_.writer = std::unique_ptr<Writer>(new Writer(std::move(state_)));
    return std::move(found_);
  }

 private:
  static std::uint64_t SeqOf(const json& entry) { return entry["seq"].get<std::uint64_t>(); }

  Storage& storage() const { return state_->storage(); }
  std::string Path(std::string_view name) const { return state_->PathOf(name); }

  base::Error Changed(std::string problem) const {
    return base::Refusal("RECORD-RECOVER-01", fmt::format("{}: {}", Path(kLogFile), problem),
                         "no crash leaves this: keep the folder as evidence and look at it with `keyceremony verify`");
  }

  Result<void> CheckNotComplete() {
    KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> addendum, storage().Find(Path(kAddendumFile)));
    if (!addendum.has_value()) return {};
    return base::Refusal("RECORD-RECOVER-04", fmt::format("{} is complete: its addendum is written", Folder()),
                         "there is nothing to go on with; `keyceremony verify` reads it");
  }

  std::string Folder() const { return state_->options.folder.empty() ? "the record" : state_->options.folder; }

  // Reads line by line until one is no valid next entry; tail_ keeps what follows.
  Result<void> ReadLog() {
    KC_ASSIGN_OR_RETURN(const std::unique_ptr<ReadFile> file, storage().OpenRead(Path(kLogFile)));
    base::Bytes buffer(4 * (kMaxLineBytes + 1));
    std::uint64_t offset = 0;  // of the first byte of the buffer
    std::size_t filled = 0;
    for (bool at_end = false, valid = true; !at_end && valid;) {
      const std::span<std::uint8_t> free = std::span(buffer).subspan(filled);
      KC_ASSIGN_OR_RETURN(const std::size_t got, file->ReadAt(offset + filled, free));
      at_end = got < free.size();
      filled += got;
      const std::string_view text = base::AsText({buffer.data(), filled});
      std::size_t begin = 0;
      for (std::size_t end = 0; valid && (end = text.find('\n', begin)) != std::string_view::npos;) {
        KC_ASSIGN_OR_RETURN(valid, TakeLine(text.substr(begin, end - begin)));
        if (valid) begin = end + 1;
      }
      offset += begin;
      std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(begin),
                buffer.begin() + static_cast<std::ptrdiff_t>(filled), buffer.begin());
      filled -= begin;
      if (filled > kMaxLineBytes + 1) valid = false;  // no line of ours, and more than one append
    }
    std::uint8_t more = 0;
    KC_ASSIGN_OR_RETURN(const std::size_t beyond, file->ReadAt(offset + filled, {&more, 1}));
    tail_is_whole_ = beyond == 0;
    state_->log_bytes = offset;
    tail_.assign(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(filled));
    return {};
  }

  // True when the line is the next entry; an error when it is one, but belies the log.
  Result<bool> TakeLine(std::string_view line) {
    Result<json> parsed = ParseEntry(line);
    if (!parsed.ok()) return false;
    const json& entry = *parsed;
    const EntryType type = FindEntryType(entry["type"].get_ref<const std::string&>())->type;
    if (!HasWhatIsLookedFor(type, entry)) return false;
    if (entry["seq"] != state_->size() || (type == EntryType::kOpen) != (state_->size() == 0) || state_->closed)
      return false;
    if (entry["mode"] != ModeName(state_->options.mode)) {
      return base::Refusal("RECORD-RECOVER-03",
                           fmt::format("{} is a {} record, asked for {}", Folder(), entry["mode"].get<std::string>(),
                                       ModeName(state_->options.mode)));
    }
    if (type == EntryType::kCheckpoint)
      KC_RETURN_IF_ERROR(CheckCheckpoint(entry["note"].get_ref<const std::string&>(), state_->size()));
    state_->written.Append(Leaf(line));
    state_->NoteEntry(type, entry);
    Remember(type, entry);
    if (visit_) visit_(entry);
    return true;
  }

  void Remember(EntryType type, const json& entry) {
    last_time_ = entry["time"].get<std::string>();
    CollectSaltedDigests(entry, salted_digests_);
    switch (type) {
      case EntryType::kIntent:
        dangling_[entry["call"].get<std::int64_t>()] = entry;
        break;
      case EntryType::kDone:
        dangling_.erase(entry["call"].get<std::int64_t>());
        break;
      case EntryType::kStep: {
        const auto id = entry["id"].get<std::string>();
        if (entry["phase"] == "begin") {
          open_steps_[id] = entry;
        } else {
          open_steps_.erase(id);
        }
        break;
      }
      case EntryType::kArtefact:
        artefacts_[entry["name"].get<std::string>()] = entry["sha256"].get<std::string>();
        break;
      case EntryType::kRecover:
        RememberTorn(entry.value("torn", json()));
        for (const json& file : entry.value("set_aside", json::array())) RememberTorn(file);
        break;
      default:
        break;
    }
  }

  void RememberTorn(const json& file) {
    if (file.is_object() && file.contains("sha256") && file["sha256"].is_string())
      named_torn_.insert(file["sha256"].get<std::string>());
  }

  // A signed checkpoint must be about the entries before it: a writer that went
  // on after a changed log would have the log key sign a second history.
  Result<void> CheckCheckpoint(const std::string& bytes, std::uint64_t size) {
    const auto belied = [&](std::string_view problem) {
      return base::Refusal("RECORD-RECOVER-05",
                           fmt::format("{}: the checkpoint over {} entries {}", Folder(), size, problem),
                           "the record was changed after it was signed: keep it as evidence");
    };
    const Result<Note> note = Note::Parse(bytes);
    if (!note.ok()) return belied("is no signed note");
    const Result<record::Checkpoint> checkpoint = record::Checkpoint::Parse(note->text);
    if (!checkpoint.ok() || checkpoint->origin != state_->origin || checkpoint->size != size)
      return belied("is of another log or size");
    if (checkpoint->root != state_->written.Root()) return belied("has another root than the entries");
    const Result<base::Bytes> spki = base::Base64Decode(state_->log_key);
    if (!spki.ok()) return belied("cannot be checked: the open entry holds no log key");
    Result<base::PublicKey> key = base::PublicKey::FromSpki(*spki);
    if (!key.ok()) return belied("cannot be checked: the open entry holds no log key");
    KC_ASSIGN_OR_RETURN(const VerifierKey log_key, VerifierKey::Make(state_->origin, *std::move(key)));
    const Result<NoteVerdict> verdict = VerifyNote(*note, {&log_key, 1});
    if (!verdict.ok() || verdict->signers.empty()) return belied("is not signed by the log key");
    state_->last_checkpoint = *checkpoint;
    return {};
  }

  Result<void> JudgeTail() {
    const std::uint64_t entries = state_->size();
    const std::string_view tail = base::AsText(tail_);
    const std::size_t lf = tail.find('\n');
    const bool one_line =
        tail_is_whole_ && tail.size() <= kMaxLineBytes + 1 && (lf == std::string_view::npos || lf + 1 == tail.size());
    if (!one_line) return Changed(fmt::format("entry {} is not valid, and more than one torn line follows", entries));
    if (entries == 0) {
      return base::Refusal("RECORD-RECOVER-02",
                           fmt::format("{} holds no entry: its ceremony had not begun", Path(kLogFile)),
                           "nothing was done on any token; begin again with another folder");
    }
    if (state_->closed && !tail.empty()) return Changed(fmt::format("{} bytes follow the close entry", tail.size()));
    return {};
  }

  Result<void> ReadFinalCheckpoint() {
    KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> file, storage().Find(Path(kCheckpointFile)));
    if (!file.has_value()) return {};
    KC_ASSIGN_OR_RETURN(const base::Bytes bytes, ReadWholeFile(storage(), Path(kCheckpointFile), kMaxNoteBytes));
    if (!state_->closed) return Changed("there is a final checkpoint, but no close entry");
    KC_RETURN_IF_ERROR(CheckCheckpoint(std::string(base::AsText(bytes)), state_->size()));
    KC_ASSIGN_OR_RETURN(state_->final_note, Note::Parse(base::AsText(bytes)));
    return {};
  }

  // Finishes, keeps or takes away what was being written; every name that is
  // left is durable when it returns.
  Result<void> TidyPartials() {
    KC_ASSIGN_OR_RETURN(const std::vector<FileInfo> files, state_->Files());
    std::set<std::string> folders = {std::string(kInputsFolder), std::string(kArtefactsFolder)};
    std::vector<FileInfo> of_artefacts;
    for (const FileInfo& file : files) {
      folders.insert(std::string(ParentOf(file.name)));
      if (!file.name.ends_with(kPartialSuffix)) continue;
      if (file.name.starts_with(ArtefactsPrefix())) {
        of_artefacts.push_back(file);
      } else {  // will be made again from what it was made from
        KC_RETURN_IF_ERROR(storage().Remove(Path(file.name)));
      }
    }
    // Last, because keeping one makes a temporary file of its own.
    for (const FileInfo& file : of_artefacts) KC_RETURN_IF_ERROR(TidyPartial(file));
    for (const std::string& folder : folders) {
      Result<void> synced = storage().SyncFolder(folder.empty() ? state_->options.folder : Path(folder));
      if (!synced.ok() && synced.error().code != ErrorCode::kNotFound) return synced;
    }
    return {};
  }

  static std::string ArtefactsPrefix() { return fmt::format("{}/", kArtefactsFolder); }

  Result<void> TidyPartial(const FileInfo& file) {
    const std::string path = Path(file.name);
    const std::string final_path = path.substr(0, path.size() - kPartialSuffix.size());
    const std::size_t prefix = ArtefactsPrefix().size();
    const std::string name = file.name.substr(prefix, file.name.size() - prefix - kPartialSuffix.size());
    KC_ASSIGN_OR_RETURN(const std::string digest, DigestFile(storage(), path));
    const auto promised = artefacts_.find(name);
    if (promised == artefacts_.end() || promised->second != digest) {
      // Nothing names it, but it may be a certificate that was signed: keep it.
      return file.size == 0 ? storage().Remove(path) : KeepAside(file, digest);
    }
    KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> published, storage().Find(final_path));
    if (published.has_value()) {
      // What stands under the name is not always the artefact: then this may be the only good copy of it.
      if (published->kind != FileKind::kFile) return KeepAside(file, digest);
      KC_ASSIGN_OR_RETURN(const std::string found, DigestFile(storage(), final_path));
      if (found == digest) return storage().Remove(path);
      const FileInfo stranger{JoinPath(kArtefactsFolder, name), FileKind::kFile, published->size};
      KC_RETURN_IF_ERROR(KeepAside(stranger, found));
    }
    KC_RETURN_IF_ERROR(storage().Rename(path, final_path));
    found_.finished.push_back(name);
    return {};
  }

  // Moves a file to torn-<sha256>. `file.name` is its path in the record.
  Result<void> KeepAside(const FileInfo& file, const std::string& digest) {
    const std::string kept = Path(fmt::format("{}{}", kTornPrefix, digest));
    KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> same, storage().Find(kept));
    if (!same.has_value()) {
      // Not a rename: between two folders a power cut may lose both names.
      KC_ASSIGN_OR_RETURN(const base::Bytes content, ReadWholeFile(storage(), Path(file.name), file.size));
      KC_RETURN_IF_ERROR(PublishNewFile(storage(), kept, content));
    }
    KC_RETURN_IF_ERROR(storage().Remove(Path(file.name)));
    found_.set_aside.push_back({file.name, digest, file.size});
    named_torn_.insert(digest);
    return {};
  }

  Result<void> CutTorn() {
    KC_RETURN_IF_ERROR(FindUnnamedTorn());
    if (tail_.empty()) return {};
    SetAside torn{std::string(kLogFile), base::Sha256Hex(base::ByteView(tail_)), tail_.size()};
    const std::string kept = Path(fmt::format("{}{}", kTornPrefix, torn.sha256));
    KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> same, storage().Find(kept));
    if (!same.has_value()) KC_RETURN_IF_ERROR(PublishNewFile(storage(), kept, tail_));
    std::erase_if(found_.set_aside, [&](const SetAside& file) { return file.sha256 == torn.sha256; });
    KC_RETURN_IF_ERROR(state_->log->Truncate(state_->log_bytes));
    KC_RETURN_IF_ERROR(state_->log->Sync());
    found_.torn = std::move(torn);
    return {};
  }

  // A recovery that was itself cut short leaves torn files that no entry names.
  Result<void> FindUnnamedTorn() {
    KC_ASSIGN_OR_RETURN(const std::vector<FileInfo> files, storage().List(state_->options.folder));
    for (const FileInfo& file : files) {
      if (file.kind != FileKind::kFile || !file.name.starts_with(kTornPrefix)) continue;
      const std::string digest = file.name.substr(kTornPrefix.size());
      if (!named_torn_.insert(digest).second) continue;
      found_.set_aside.push_back({file.name, digest, file.size});
    }
    return {};
  }

  Result<void> CheckArtefacts() {
    for (const auto& [name, digest] : artefacts_) {
      const std::string path = Path(JoinPath(kArtefactsFolder, name));
      KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> file, storage().Find(path));
      if (file.has_value() && file->kind == FileKind::kFile) {
        KC_ASSIGN_OR_RETURN(const std::string found, DigestFile(storage(), path));
        if (found == digest) continue;
      }
      found_.missing.push_back(name);
    }
    return {};
  }

  // Drops openings of values that no entry holds: the program died between the
  // two writes, and a verifier rejects what matches no digest. They are not
  // kept aside, because what they open is confidential.
  Result<void> TidyDisclosures() {
    const std::string path = Path(kDisclosuresFile);
    KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> file, storage().Find(path));
    if (!file.has_value()) return {};
    KC_ASSIGN_OR_RETURN(const base::Bytes bytes, ReadWholeFile(storage(), path, kMaxDisclosureBytes));
    std::string kept;
    std::string_view rest = base::AsText(bytes);
    for (std::size_t end = 0; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
      const json line = json::parse(rest.substr(0, end), nullptr, false);
      const auto d = line.is_object() ? line.find(kDisclosureKey) : line.end();
      if (d == line.end() || !d->is_string()) continue;
      if (salted_digests_.contains(DigestOfDisclosure(d->get_ref<const std::string&>()))) kept.append(rest, 0, end + 1);
    }
    if (kept.size() == bytes.size()) return {};
    return ReplaceFile(storage(), path, base::AsBytes(kept));
  }

  Result<void> AppendRecover() {
    found_.entries = state_->size();
    if (!last_time_.empty()) {
      KC_ASSIGN_OR_RETURN(state_->last_utc, base::ParseTime(last_time_));
    }
    if (state_->closed) return {};
    json set_aside = json::array();
    for (const SetAside& file : found_.set_aside) set_aside.push_back(ToJson(file));
    json torn = nullptr;
    if (found_.torn.has_value()) torn = {{"sha256", found_.torn->sha256}, {"size", found_.torn->size}};
    // A line holds 64 KiB: of many missing files it names the first and counts all.
    const auto named =
        found_.missing.begin() + static_cast<std::ptrdiff_t>(std::min(found_.missing.size(), kMaxMissingNamed));
    KC_ASSIGN_OR_RETURN(
        found_.recover_seq,
        state_->Write(EntryType::kRecover, {{"entries", found_.entries},
                                            {"torn", torn},
                                            {"set_aside", set_aside},
                                            {"finished", found_.finished},
                                            {"missing", std::vector<std::string>(found_.missing.begin(), named)},
                                            {"missing_count", found_.missing.size()}}));
    return {};
  }

  std::unique_ptr<Writer::State> state_;
  const std::function<void(const json&)>& visit_;
  Recovered found_;
  base::Bytes tail_;            // what follows the valid prefix, as far as it was read
  bool tail_is_whole_ = false;  // tail_ reaches the end of the file
  std::string last_time_;
  std::map<std::int64_t, json> dangling_;
  std::map<std::string, json> open_steps_;
  std::map<std::string, std::string> artefacts_;  // name -> sha256
  std::set<std::string> salted_digests_;
  std::set<std::string> named_torn_;
};

Result<Recovered> Recover(Writer::Options options, const std::function<void(const json& entry)>& visit) {
  return RecoveryRun(std::move(options), visit).Run();
}

}  // namespace ceremony::record
