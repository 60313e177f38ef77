#include "ceremony/record/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>

#include "ceremony/record/rules.h"
#include "ceremony/record/writer_state.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;
using nlohmann::json;

constexpr std::size_t kReadBytes = 1 << 18;

}  // namespace

Result<void> Writer::State::CheckSound() const {
  if (failure.has_value()) return *failure;
  return {};
}

base::Error Writer::State::Poison(base::Error error) {
  if (!failure.has_value()) {
    error.code = ErrorCode::kIo;
    if (error.hint.empty())
      error.hint = "the ceremony ends here; when the cause is gone, go on with `keyceremony resume`";
    failure = std::move(error);
  }
  return *failure;
}

void Writer::State::Stamp(json& entry) {
  const std::int64_t utc = options.clock.UtcMicros();
  const std::int64_t boot = std::max({options.clock.BootMicros(), last_boot.value_or(0), std::int64_t{0}});
  if (last_utc.has_value()) {
    // After recovery the boot clock may have begun anew: all that is known is
    // that time has not gone back.
    const bool same_boot = last_boot.has_value();
    const std::int64_t expected = *last_utc + (same_boot ? boot - *last_boot : 0);
    const std::int64_t jump = utc - expected;
    const bool stepped = same_boot ? std::abs(jump) >= options.clock_step_micros : jump <= -options.clock_step_micros;
    if (stepped) clock_step = ClockStep{size(), utc, expected};
  }
  last_utc = utc;
  last_boot = boot;
  entry["time"] = base::FormatTime(utc);
  entry["mono"] = boot;
}

Result<json> Writer::State::Prepare(EntryType type, json fields) {
  if (!fields.is_object()) return Misuse("the fields of an entry are not an object");
  for (const RequiredField& common : CommonFields()) {
    if (fields.contains(common.name)) {
      return MakeError(ErrorCode::kInvalidInput,
                       fmt::format("entry field /{}: the writer sets it, nobody else may", common.name));
    }
  }
  KC_RETURN_IF_ERROR(Withhold(fields));
  const auto before_utc = last_utc;
  const auto before_boot = last_boot;
  const auto before_step = clock_step;
  fields["v"] = kFormatVersion;
  fields["seq"] = size();
  fields["type"] = FactsOf(type).name;
  fields["salt"] = NewSalt();
  fields["mode"] = ModeName(options.mode);
  Stamp(fields);
  Result<void> fits = CanonicaliseInto(fields, line);
  if (fits.ok()) fits = CheckLine(type);
  if (!fits.ok()) {  // nothing was written: the clock is as it was, too
    last_utc = before_utc;
    last_boot = before_boot;
    clock_step = before_step;
    return std::move(fits).error();
  }
  return fields;
}

Result<void> Writer::State::CheckLine(EntryType type) {
  if (const LineFault fault = scanner.ScanEntry(line); fault != LineFault::kNone) {
    return Misuse(fmt::format("an entry of type {} is none to a verifier: {}", FactsOf(type).name, RuleOf(fault).id));
  }
  const std::string_view incomplete = scanner.incomplete_field();
  for (const RequiredField& field : FactsOf(type).fields) {
    if (field.name != incomplete) continue;
    return MakeError(ErrorCode::kInvalidInput, fmt::format("entry field /{}: missing in an entry of type {}, or not {}",
                                                           field.name, FactsOf(type).name, KindWords(field.kind)));
  }
  return {};
}

Result<std::uint64_t> Writer::State::Commit(EntryType type, const json& entry) {
  // An opening without its entry is dropped by recovery; an entry without its opening could never be opened.
  KC_RETURN_IF_ERROR(WriteOpenings());
  const std::uint64_t seq = size();
  const Hash leaf = Leaf(line);
  line.push_back('\n');
  if (Result<void> put = log->Append(base::AsBytes(line)); !put.ok()) return Poison(std::move(put).error());
  if (Result<void> synced = log->Sync(); !synced.ok()) return Poison(std::move(synced).error());
  log_bytes += line.size();
  written.Append(leaf);
  NoteEntry(type, entry);
  return seq;
}

void Writer::State::NoteEntry(EntryType type, const json& entry) {
  if (type == EntryType::kOpen) {
    origin = entry["origin"].get<std::string>();
    log_key = entry["log_key"].get<std::string>();
  }
  if (type == EntryType::kRequest) requests.insert(entry["seq"].get<std::uint64_t>());
  if (type == EntryType::kClose) closed = true;
}

Result<void> Writer::State::ReadBackAll() {
  read_back = CompactRange();
  read_offset = 0;
  return ReadBack();
}

Result<void> Writer::State::ReadBack() {
  const auto differs = [&](std::string_view how) {
    return Poison(
        MakeError(ErrorCode::kIo, fmt::format("{} on disk is not what was written: {}", PathOf(kLogFile), how))
            .WithHint("another program changed the file, or the disk is failing; keep both as evidence"));
  };
  auto file = storage().OpenRead(PathOf(kLogFile));
  if (!file.ok()) return Poison(std::move(file).error());
  // A line may begin in one block and end in a later one: what is left of a
  // block is moved to the front and read on behind.
  base::Bytes buffer(std::min<std::uint64_t>(kReadBytes, log_bytes - read_offset + 1));
  std::size_t kept = 0;
  for (bool at_end = false; !at_end;) {
    const std::span<std::uint8_t> free = std::span(buffer).subspan(kept);
    auto got = (*file)->ReadAt(read_offset + kept, free);
    if (!got.ok()) return Poison(std::move(got).error());
    at_end = *got < free.size();
    const std::size_t filled = kept + *got;
    std::size_t begin = 0;
    while (const void* lf = std::memchr(buffer.data() + begin, '\n', filled - begin)) {
      const auto end = static_cast<std::size_t>(static_cast<const std::uint8_t*>(lf) - buffer.data());
      read_back.Append(Leaf(base::ByteView(buffer.data() + begin, end - begin)));
      begin = end + 1;
      if (begin == filled) break;
    }
    if (begin == 0 && filled == buffer.size()) return differs("a line without end");
    std::memmove(buffer.data(), buffer.data() + begin, filled - begin);
    kept = filled - begin;
    read_offset += begin;
  }
  if (kept != 0 || read_offset != log_bytes) {
    return differs(fmt::format("{} bytes, expected {}", read_offset + kept, log_bytes));
  }
  if (read_back.size() != size()) return differs(fmt::format("{} entries, expected {}", read_back.size(), size()));
  if (read_back.Root() != written.Root()) return differs("an entry has other bytes");
  return {};
}

Result<void> Writer::State::CheckLogKey(const NoteSigner& signer) const {
  if (signer.key().name() != origin) {
    return MakeError(ErrorCode::kInvalidInput,
                     fmt::format("the log key's name is {}, the origin is {}", signer.key().name(), origin));
  }
  if (base::Base64Encode(signer.key().public_key().spki()) != log_key) {
    return MakeError(ErrorCode::kInvalidInput, "the log key is not the one that the open entry names");
  }
  return {};
}

Result<void> Writer::State::EnsureFolder(std::string_view name) {
  for (std::size_t end = name.find('/');; end = name.find('/', end + 1)) {
    const std::string path = PathOf(name.substr(0, end));
    auto found = storage().Find(path);
    if (!found.ok()) return Poison(std::move(found).error());
    if (found->has_value() && (*found)->kind != FileKind::kFolder) {
      return MakeError(ErrorCode::kInvalidInput, fmt::format("{} is not a folder", path));
    }
    if (!found->has_value()) {
      if (Result<void> made = storage().MakeFolder(path); !made.ok()) return Poison(std::move(made).error());
      if (Result<void> kept = storage().SyncFolder(ParentOf(path)); !kept.ok()) return Poison(std::move(kept).error());
    }
    if (end == std::string_view::npos) return {};
  }
}

Writer::Writer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Writer::~Writer() = default;

Result<std::unique_ptr<Writer>> Writer::Create(Options options) {
  auto state = std::make_unique<State>(std::move(options));
  Storage& storage = state->storage();
  const std::string& folder = state->options.folder;
  if (!folder.empty()) {
    KC_ASSIGN_OR_RETURN(const std::optional<FileInfo> found, storage.Find(folder));
    if (!found.has_value()) {
      KC_RETURN_IF_ERROR(storage.MakeFolder(folder));
      KC_RETURN_IF_ERROR(storage.SyncFolder(ParentOf(folder)));
    }
  }
  KC_ASSIGN_OR_RETURN(const std::vector<FileInfo> files, storage.List(folder));
  const std::string log_path = state->PathOf(kLogFile);
  if (!files.empty()) {
    // Who is writing there matters more than that something is there.
    if (const auto other = storage.OpenAppend(log_path, Storage::Lock::kExclusive);
        !other.ok() && other.error().rule == "RECORD-LOCK-01") {
      return other.error();
    }
    return base::Refusal(
        "RECORD-CREATE-01",
        fmt::format("the folder {} is not empty: it holds {}", folder.empty() ? "." : folder, files.front().name),
        "a record needs a folder of its own; to go on with a ceremony use `keyceremony resume`");
  }
  KC_ASSIGN_OR_RETURN(state->log, storage.CreateNew(log_path, Storage::Lock::kExclusive));
  KC_RETURN_IF_ERROR(storage.MakeFolder(state->PathOf(kInputsFolder)));
  KC_RETURN_IF_ERROR(storage.MakeFolder(state->PathOf(kArtefactsFolder)));
  KC_RETURN_IF_ERROR(storage.SyncFolder(folder));
  return std::unique_ptr<Writer>(new Writer(std::move(state)));
}

Result<std::uint64_t> Writer::Append(EntryType type, json fields) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  if (type == EntryType::kCheckpoint || type == EntryType::kArtefact || type == EntryType::kRecover) {
    return Misuse(fmt::format("an entry of type {} is not appended by hand", FactsOf(type).name));
  }
  if (state_->closed) return Misuse("the record is closed: no entry may follow");
  if ((type == EntryType::kOpen) != (state_->size() == 0)) return Misuse("the first entry, and no other, is open");
  if (type == EntryType::kOpen && fields.contains("origin") && fields["origin"].is_string()) {
    KC_RETURN_IF_ERROR(SplitOrigin(fields["origin"].get_ref<const std::string&>()));
  }
  if (type == EntryType::kClose && fields.is_object()) fields["entries"] = state_->size() + 1;
  return state_->Write(type, std::move(fields));
}

std::optional<ClockStep> Writer::TakeClockStep() { return std::exchange(state_->clock_step, std::nullopt); }

Result<record::Checkpoint> Writer::Checkpoint(NoteSigner& log_key) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  if (state_->size() == 0 || state_->closed) return Misuse("a checkpoint entry outside an open record");
  KC_RETURN_IF_ERROR(state_->CheckLogKey(log_key));
  KC_RETURN_IF_ERROR(state_->ReadBack());
  const record::Checkpoint checkpoint{state_->origin, state_->size(), state_->read_back.Root()};
  Note note{checkpoint.Text(), {}};
  KC_ASSIGN_OR_RETURN(SignatureLine line, SignText(note.text, log_key));
  note.signatures.push_back(std::move(line));
  KC_RETURN_IF_ERROR(state_->Write(EntryType::kCheckpoint, {{"note", note.Serialise()}}));
  state_->last_checkpoint = checkpoint;
  return checkpoint;
}

Result<std::uint64_t> Writer::AppendCosign(std::string_view person, std::uint64_t request,
                                           const Cosignature& cosignature) {
  return AppendCosign(person, request, cosignature, nullptr);
}

Result<std::uint64_t> Writer::AppendCosign(std::string_view person, std::uint64_t request,
                                           const Cosignature& cosignature, nlohmann::json extra) {
  KC_RETURN_IF_ERROR(state_->CheckSound());
  if (state_->closed) return Misuse("the record is closed: no entry may follow");
  if (!state_->requests.contains(request)) return Misuse(fmt::format("entry {} is no request", request));
  if (!state_->last_checkpoint.has_value() || state_->last_checkpoint->size <= request) {
    return Misuse(fmt::format("no checkpoint covers the request in entry {}", request));
  }
  KC_ASSIGN_OR_RETURN(const OriginParts parts, SplitOrigin(state_->origin));
  if (cosignature.key.name() != PersonKeyName(parts.estate, person)) {
    return MakeError(ErrorCode::kInvalidInput,
                     fmt::format("the key name of {} is {}, expected {}", person, cosignature.key.name(),
                                 PersonKeyName(parts.estate, person)));
  }
  KC_RETURN_IF_ERROR(VerifyCosignature(state_->last_checkpoint->Text(), cosignature));
  nlohmann::json fields = extra.is_object() ? std::move(extra) : nlohmann::json::object();
  fields["person"] = person;
  fields["request"] = request;
  fields["size"] = state_->last_checkpoint->size;
  fields["line"] = cosignature.line.Text();
  return state_->Write(EntryType::kCosign, std::move(fields));
}

Result<void> Writer::VerifyCosignature(std::string_view text, const Cosignature& cosignature) {
  const auto& [line, key] = cosignature;
  if (!line.IsBy(key)) {
    return MakeError(ErrorCode::kInvalidInput,
                     fmt::format("the signature line is by {} ({}), the key is {} ({})", line.name,
                                 base::HexEncode(line.key_id), key.name(), base::HexEncode(key.key_id())));
  }
  if (Result<void> verified = key.Verify(text, line.signature); !verified.ok()) {
    return MakeError(ErrorCode::kCorrupt, fmt::format("the signature of {} does not fit this text: {}", key.name(),
                                                      verified.error().message))
        .WithHint("it was made over another checkpoint, or with another key");
  }
  return {};
}

std::uint64_t Writer::size() const { return state_->size(); }
const std::string& Writer::origin() const { return state_->origin; }
Mode Writer::mode() const { return state_->options.mode; }
bool Writer::closed() const { return state_->closed; }
bool Writer::has_final_checkpoint() const { return state_->final_note.has_value(); }
bool Writer::has_addendum() const { return state_->addendum; }
const std::optional<record::Checkpoint>& Writer::last_checkpoint() const { return state_->last_checkpoint; }
const std::optional<base::Error>& Writer::failure() const { return state_->failure; }

}  // namespace ceremony::record
