#include "ceremony/record/withheld.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "ceremony/record/characters.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/log_audit.h"
#include "ceremony/record/redact.h"
#include "hsm/base/encoding.h"

namespace ceremony::record {
namespace {

using base::FileDescriptor;
using base::Result;
using nlohmann::json;

constexpr std::array<std::string_view, 3> kLabels = {"green", "amber", "red"};

// IsAbove tells whether a withheld thing has a higher label than what is shown.
bool IsAbove(const std::optional<std::string>& label, const std::string& shown) {
  return label && LabelRank(*label) > LabelRank(shown);
}

bool IsLabel(const std::optional<std::string>& text) {
  return text && std::find(kLabels.begin(), kLabels.end(), *text) != kLabels.end();
}

std::string LineOf(const json& object) { return CanonicaliseValue(object).value(); }

std::optional<std::uint64_t> NumberIn(std::string_view value) {
  const std::optional<std::int64_t> number = DecodeInteger(value);
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::optional<WithheldHead::Annex> ParseAnnex(std::string_view value) {
  Scanner inner;
  if (inner.ScanObject(value) != LineFault::kNone || inner.members().size() != 2) return std::nullopt;
  const std::optional<std::string> digest = DecodeString(inner.Find("sha256"));
  const std::optional<std::uint64_t> size = NumberIn(inner.Find("size"));
  if (!digest || !IsLowerHex(*digest, 64) || !size) return std::nullopt;
  return WithheldHead::Annex{*digest, *size};
}

}  // namespace

std::optional<Hash> WithheldLeaf(std::string_view line) {
  if (line.size() != 64 || line.front() == '{') return std::nullopt;
  const Result<base::Bytes> bytes = base::HexDecode(line);
  if (!bytes.ok()) return std::nullopt;
  Hash leaf{};
  std::copy(bytes->begin(), bytes->end(), leaf.begin());
  return leaf;
}

std::string WithheldLine(const Hash& leaf) { return base::HexEncode(leaf); }

bool MayBeWithheldFile(std::string_view path) {
  if (!IsSafePath(path)) return false;
  return path.starts_with("inputs/") || path.starts_with("artefacts/") || path.starts_with(kTornPrefix);
}

std::string WithheldHead::Line() const {
  json object{{"format", kWithheldFormat}, {"label", label}, {"origin", origin}, {"reasons", json::object()}};
  for (const auto& [code, sentence] : reasons) object["reasons"][code] = sentence;
  object["annex"] = annex ? json{{"sha256", annex->sha256}, {"size", annex->size}} : json(nullptr);
  return LineOf(object);
}

std::optional<WithheldHead> WithheldHead::Parse(std::string_view line) {
  Scanner scanner;
  if (scanner.ScanObject(line) != LineFault::kNone || scanner.members().size() != 5) return std::nullopt;
  const std::optional<std::string> format = DecodeString(scanner.Find("format"));
  const std::optional<std::string> label = DecodeString(scanner.Find("label"));
  const std::optional<std::string> origin = DecodeString(scanner.Find("origin"));
  if (format != kWithheldFormat || !IsLabel(label) || !origin) return std::nullopt;
  WithheldHead head{*origin, *label, {}, {}};
  if (const std::string_view annex = scanner.Find("annex"); annex != "null") {
    head.annex = ParseAnnex(annex);
    if (!head.annex) return std::nullopt;
  }
  Scanner inner;
  if (inner.ScanObject(scanner.Find("reasons")) != LineFault::kNone || inner.members().size() > kMaxReasons) {
    return std::nullopt;
  }
  for (const Member& member : inner.members()) {
    const std::optional<std::string> sentence = DecodeString(member.value);
    if (!sentence || sentence->empty()) return std::nullopt;
    head.reasons.emplace(member.key, *sentence);
  }
  return head;
}

std::string WithheldFileLine(const std::string& path, const std::string& label, const std::string& reason) {
  return LineOf({{"file", path}, {"label", label}, {"reason", reason}});
}

std::string WithheldEntryLine(std::uint64_t entry, const std::string& type, const std::string& label,
                              const std::string& reason) {
  return LineOf({{"entry", entry}, {"label", label}, {"reason", reason}, {"type", type}});
}

void WithheldAudit::Wrong(const std::string& message) {
  is_sound_ = false;
  findings_.Add("RED-LEDGER", std::nullopt,
                std::string(kWithheldFile) + (line_ > 0 ? ", line " + std::to_string(line_) : "") + ": " + message);
}

bool WithheldAudit::NextLine(std::string_view& line) {
  if (!is_sound_ || !ledger_) return false;
  if (at_ == block_.size) {
    const Result<bool> more = ledger_->Next(block_);
    at_ = 0;
    if (!more.ok()) failure_ = more.error();
    if (!more.ok() || !*more) {
      block_.size = 0;
      if (ledger_->oversize() || ledger_->torn_bytes() > 0) {
        ++line_;
        Wrong("the line has no end, or more than 65535 bytes");
      }
      return false;
    }
  }
  const std::string_view rest(block_.buffer.data() + at_, block_.size - at_);
  line = rest.substr(0, rest.find('\n'));
  at_ += line.size() + 1;
  ++line_;
  return true;
}

Result<void> WithheldAudit::Begin() {
  Result<FileDescriptor> file = folder_.OpenFile(kWithheldFile);
  if (!file.ok()) {
    if (file.error().code == base::ErrorCode::kIo) return std::move(file).error();
    if (file.error().code != base::ErrorCode::kNotFound) Wrong(file.error().message);
    return {};
  }
  ledger_.emplace(std::move(file).value());
  std::string_view line;
  if (!NextLine(line)) {
    if (is_sound_ && !failure_) Wrong("it has no first line");
  } else if (head_ = WithheldHead::Parse(line); !head_) {
    Wrong("it does not begin with format, label, origin, reasons and annex");
  } else {
    NextRow();
  }
  if (failure_) return *failure_;
  return {};
}

// TakeFile is true when the scanned line is about a file; what is wrong with it is said.
bool WithheldAudit::TakeFile() {
  if (scanner_.Find("file").empty()) return false;
  const std::optional<std::string> path = DecodeString(scanner_.Find("file"));
  const std::optional<std::string> reason = DecodeString(scanner_.Find("reason"));
  if (scanner_.members().size() != 3 || !path || !reason || !IsLabel(DecodeString(scanner_.Find("label")))) {
    Wrong("a file has file, label and reason");
  } else if (!MayBeWithheldFile(*path)) {
    Wrong(Quoted(*path) + " is no file that may be withheld");
  } else if (!IsAbove(DecodeString(scanner_.Find("label")), head_->label)) {
    Wrong("something is withheld under a label that is shown, " + Quoted(head_->label));
  } else if (!head_->reasons.contains(*reason)) {
    Wrong("the reason " + Quoted(*reason) + " is not explained");
  } else if ((!files_.empty() && *files_.rbegin() >= *path) || last_ || files_.size() == kMaxWithheldFiles) {
    Wrong(Quoted(*path) + " stands out of order, or there are more than " + std::to_string(kMaxWithheldFiles));
  } else {
    files_.insert(files_.end(), *path);
    ++file_counts_[*reason];
  }
  return true;
}

std::optional<WithheldAudit::Row> WithheldAudit::ParseRow() {
  const std::optional<std::uint64_t> entry = NumberIn(scanner_.Find("entry"));
  const std::optional<std::string> type = DecodeString(scanner_.Find("type"));
  const std::optional<std::string> reason = DecodeString(scanner_.Find("reason"));
  if (scanner_.members().size() != 4 || !entry || !type || !reason || !IsLabel(DecodeString(scanner_.Find("label")))) {
    Wrong("an entry has entry, label, reason and type");
  } else if (!IsAbove(DecodeString(scanner_.Find("label")), head_->label)) {
    Wrong("something is withheld under a label that is shown, " + Quoted(head_->label));
  } else if (!head_->reasons.contains(*reason)) {
    Wrong("the reason " + Quoted(*reason) + " is not explained");
  } else if (last_ && *last_ >= *entry) {
    Wrong("entry " + std::to_string(*entry) + " stands out of order");
  } else {
    return Row{*entry, *type, *reason};
  }
  return std::nullopt;
}

// NextRow reads up to the next entry of the ledger.
void WithheldAudit::NextRow() {
  next_.reset();
  for (std::string_view line; NextLine(line);) {
    if (scanner_.ScanObject(line) != LineFault::kNone) return Wrong("it is not the canonical JSON of an object");
    if (TakeFile()) continue;
    next_ = ParseRow();
    if (next_) last_ = next_->entry;
    return;
  }
}

void WithheldAudit::TakeEntry(std::uint64_t entry) {
  ++entries_;
  if (!is_sound_ || failure_) return;
  if (!ledger_) {
    return Wrong("entry " + std::to_string(entry) + " is withheld, and there is no ledger that says so");
  }
  if (!next_ || next_->entry != entry) {
    return Wrong(next_ ? "entry " + std::to_string(next_->entry) + " is named, and entry " + std::to_string(entry) +
                             " is the next that is withheld"
                       : "entry " + std::to_string(entry) + " is withheld, and it does not say so");
  }
  const EntryTypeFacts* const facts = FindEntryType(next_->type);
  if (facts == nullptr || !facts->may_be_withheld) {
    findings_.Add("RED-TYPE", entry, "the entry is withheld, and the ledger calls it " + Quoted(next_->type));
  } else {
    ++counts_[{next_->type, next_->reason}];
  }
  NextRow();
}

Result<void> WithheldAudit::Finish(const std::string& origin) {
  if (failure_) return *failure_;
  if (!ledger_ || !head_) return {};
  if (next_ && is_sound_) {
    Wrong("entry " + std::to_string(next_->entry) + " is named, and it is not withheld");
  }
  if (head_->origin != origin && !origin.empty()) {
    Wrong("it is the ledger of " + Quoted(head_->origin) + ", the record is " + Quoted(origin));
  }
  for (const WithheldCount& row : Counts()) {
    findings_.Add("RED-WITHHELD", std::nullopt,
                  std::to_string(row.count) + " of " + Quoted(row.what) + ": " + head_->reasons.at(row.reason) + " (" +
                      row.reason + ")");
  }
  return {};
}

std::vector<WithheldCount> WithheldAudit::Counts() const {
  std::vector<WithheldCount> rows;
  for (const auto& [key, count] : counts_) rows.push_back({key.first, key.second, count});
  for (const auto& [reason, count] : file_counts_) rows.push_back({"file", reason, count});
  return rows;
}

}  // namespace ceremony::record
