#include "ceremony/record/redact.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "ceremony/record/bounded_parse.h"
#include "ceremony/record/disclosure.h"
#include "ceremony/record/disclosure_audit.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/log_reader.h"
#include "ceremony/record/new_folder.h"
#include "ceremony/record/script_plan.h"
#include "ceremony/record/tar_archive.h"
#include "hsm/base/encoding.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::FileDescriptor;
using base::MakeError;
using base::Result;
using nlohmann::json;

// A word of rules that stands for two types of entries, of which one without the other would not verify, or mislead.
constexpr std::array<std::pair<EntryType, std::string_view>, 4> kPairs = {{
    {EntryType::kIntent, "call"},
    {EntryType::kDone, "call"},
    {EntryType::kAttend, "presence"},
    {EntryType::kDepart, "presence"},
}};

std::string_view WordOf(const EntryTypeFacts& facts) {
  for (const auto& [type, word] : kPairs) {
    if (type == facts.type) return word;
  }
  return facts.name;
}

constexpr std::size_t kMaxNamed = 10;  // entries that a refusal names
constexpr std::size_t kMaxScriptFile = 4u << 20;

int RankOf(const std::string& label) { return LabelRank(label).value_or(2); }

bool IsAt(std::string_view path, std::string_view rule) {
  return path == rule || (path.size() > rule.size() && path.starts_with(rule) && path[rule.size()] == '/');
}

bool IsSalted(const json& value) { return value.is_object() && value.size() == 1 && value.contains(kSaltedDigestKey); }

class Redaction final {
 public:
  explicit Redaction(const RedactionRequest& request) : request_(request), rules_(request.rules) {}

  Result<RecordReport> Run();

 private:
  Result<RecordReport> CheckRecord() const;
  Result<void> SortFiles(const RecordFolder& folder);
  Result<void> WriteLog(const RecordFolder& folder, NewFolder& out);
  Result<void> TakeLine(std::string_view line, std::string& log);
  Result<void> WriteDisclosures(const RecordFolder& folder, NewFolder& out) const;
  Result<std::optional<WithheldHead::Annex>> KeepAnnex(const RecordFolder& folder, const std::string& origin) const;
  // The strictest rule that hides an entry or a file from the readers; nullptr: it is shown.
  const RedactionRules::EntryRule* HidesEntry(const std::string& type, const json& entry) const;
  const RedactionRules::FileRule* HidesFile(std::string_view path) const;
  // The first field that must not be shown, "" for none.
  std::string FieldInTheClear(const json& value) const;

  bool IsAbove(const std::string& label) const { return RankOf(label) > RankOf(rules_.publish); }

  const RedactionRequest& request_;
  const RedactionRules& rules_;
  std::vector<std::string> shown_;
  std::map<std::string, const RedactionRules::FileRule*> hidden_;
  std::string rows_;  // of the ledger, for entries
  std::uint64_t entry_ = 0;
  std::vector<std::string> in_the_clear_;
  std::size_t more_in_the_clear_ = 0;
  std::set<std::string, std::less<>> digests_;  // that shown entries hold
};

Result<RecordReport> Redaction::CheckRecord() const {
  KC_ASSIGN_OR_RETURN(RecordReport report, request_.judge(request_.record, {request_.trust, 1, std::nullopt}));
  if (report.verdict == Verdict::kInvalid || report.verdict == Verdict::kFork) {
    return base::Refusal("RED-RECORD-01", fmt::format("{} is {}", request_.record, VerdictName(report.verdict)),
                         "`keyceremony verify` says why; what does not verify is not published");
  }
  if (!report.label.empty()) {
    return base::Refusal("RED-RECORD-01", request_.record + " is a bundle already",
                         "make bundles from the record itself, one for each label");
  }
  return report;
}

Result<void> Redaction::SortFiles(const RecordFolder& folder) {
  KC_ASSIGN_OR_RETURN(const RecordFolder::Listing listing, folder.List());
  for (const std::string& path : listing.files) {
    if (path == kLogFile || path == kDisclosuresFile) continue;
    const RedactionRules::FileRule* const rule = HidesFile(path);
    if (rule == nullptr) {
      shown_.push_back(path);
      continue;
    }
    if (path.starts_with("inputs/")) {
      const Result<std::string> bytes = folder.ReadSmall(path, kMaxScriptFile);
      if (!bytes.ok() && bytes.error().code == ErrorCode::kIo) return bytes.error();
      if (bytes.ok()) {
        const Result<std::optional<ScriptPlan>> script = ScriptPlan::Parse(*bytes);
        if (script.ok() && *script) {
          return base::Refusal("RED-FILE-01", fmt::format("{} is the script, and {} withholds it", path, rule->path),
                               "a record is judged by its script: publish it, or a bundle of a wider label");
        }
      }
    }
    hidden_.emplace(path, rule);
  }
  return {};
}

const RedactionRules::EntryRule* Redaction::HidesEntry(const std::string& type, const json& entry) const {
  const EntryTypeFacts* const facts = FindEntryType(type);
  const std::string_view word = facts == nullptr ? std::string_view(type) : WordOf(*facts);
  const RedactionRules::EntryRule* found = nullptr;
  for (const RedactionRules::EntryRule& rule : rules_.entries) {
    if (rule.type != word || !IsAbove(rule.label)) continue;
    if (!rule.what.empty()) {
      const auto what = entry.find("what");
      if (what == entry.end() || *what != rule.what) continue;
    }
    if (found == nullptr || RankOf(found->label) < RankOf(rule.label)) found = &rule;
  }
  return found;
}

const RedactionRules::FileRule* Redaction::HidesFile(std::string_view path) const {
  if (!MayBeWithheldFile(path)) return nullptr;
  const RedactionRules::FileRule* found = nullptr;
  for (const RedactionRules::FileRule& rule : rules_.files) {
    if (!IsAbove(rule.label) || !IsAt(path, rule.path)) continue;
    if (found == nullptr || RankOf(found->label) < RankOf(rule.label)) found = &rule;
  }
  return found;
}

std::string Redaction::FieldInTheClear(const json& value) const {
  if (!value.is_structured()) return "";
  for (const auto& [name, inner] : value.items()) {
    if (value.is_object() && !IsSalted(inner)) {
      for (const RedactionRules::FieldRule& rule : rules_.fields) {
        if (rule.name == name && IsAbove(rule.label)) return name;
      }
    }
    if (std::string found = FieldInTheClear(inner); !found.empty()) return found;
  }
  return "";
}

Result<void> Redaction::TakeLine(std::string_view line, std::string& log) {
  const std::uint64_t number = entry_++;
  const json entry = ParseBounded(line);
  if (!entry.is_object()) return MakeError(ErrorCode::kCorrupt, fmt::format("entry {} cannot be read", number));
  const std::string type = entry.value("type", "");
  if (const RedactionRules::EntryRule* const rule = HidesEntry(type, entry)) {
    log.append(WithheldLine(Leaf(line))).push_back('\n');
    rows_.append(WithheldEntryLine(number, type, rule->label, rule->reason)).push_back('\n');
    return {};
  }
  if (const std::string field = FieldInTheClear(entry); !field.empty()) {
    if (in_the_clear_.size() < kMaxNamed) {
      in_the_clear_.push_back(fmt::format("{} in entry {} ({})", field, number, type));
    } else {
      ++more_in_the_clear_;
    }
  }
  std::string_view rest = line;
  for (SaltedDigest salted; FindSalted(rest, salted);) digests_.emplace(salted.digest);
  log.append(line).push_back('\n');
  return {};
}

Result<void> Redaction::WriteLog(const RecordFolder& folder, NewFolder& out) {
  KC_ASSIGN_OR_RETURN(FileDescriptor file, folder.OpenFile(kLogFile));
  KC_ASSIGN_OR_RETURN(const std::unique_ptr<AppendFile> target, out.Create(kLogFile));
  LogReader reader(std::move(file));
  LogReader::Block block;
  for (;;) {
    KC_ASSIGN_OR_RETURN(const bool more, reader.Next(block));
    if (!more) break;
    std::string log;
    for (std::string_view rest(block.buffer.data(), block.size); !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(line.size() + 1);
      KC_RETURN_IF_ERROR(TakeLine(line, log));
    }
    KC_RETURN_IF_ERROR(target->Append(base::AsBytes(log)));
  }
  if (!in_the_clear_.empty()) {
    return base::Refusal(
        "RED-FIELD-01",
        fmt::format("a {} bundle would show {}{}", rules_.publish, fmt::join(in_the_clear_, ", "),
                    more_in_the_clear_ > 0 ? fmt::format(" and {} more", more_in_the_clear_) : ""),
        "withhold these entries, too, or have the script of the next ceremony keep the field confidential");
  }
  return target->Sync();
}

Result<void> Redaction::WriteDisclosures(const RecordFolder& folder, NewFolder& out) const {
  KC_ASSIGN_OR_RETURN(const RecordFolder::Listing listing, folder.List());
  if (!std::binary_search(listing.files.begin(), listing.files.end(), std::string(kDisclosuresFile))) return {};
  KC_ASSIGN_OR_RETURN(const std::string text, folder.ReadSmall(kDisclosuresFile, kMaxDisclosureFile));
  std::string kept;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;  // torn: of an entry that was never written
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    const json object = json::parse(line, nullptr, false);
    if (!object.is_object() || !object.contains(kDisclosureKey)) continue;
    const std::string d = object[kDisclosureKey].get<std::string>();
    KC_ASSIGN_OR_RETURN(const OpenedDisclosure opened, OpenDisclosure(d));
    const bool is_for_all = std::any_of(rules_.fields.begin(), rules_.fields.end(), [&](const auto& rule) {
      return rule.name == opened.name && !IsAbove(rule.label);
    });
    if (is_for_all && digests_.contains(DigestOfDisclosure(d))) kept.append(line).push_back('\n');
  }
  return kept.empty() ? Result<void>() : out.Write(kDisclosuresFile, base::AsBytes(kept));
}

Result<std::optional<WithheldHead::Annex>> Redaction::KeepAnnex(const RecordFolder& folder,
                                                                const std::string& origin) const {
  if (!request_.keep_annex) return std::optional<WithheldHead::Annex>();
  std::vector<std::string> paths = {std::string(kLogFile), std::string(kDisclosuresFile)};
  for (const auto& [path, rule] : hidden_) paths.push_back(path);
  TarWriter tar;
  for (const std::string& path : paths) {
    const Result<std::string> bytes = folder.ReadSmall(path, kMaxArchiveBytes);
    if (!bytes.ok() && path == kDisclosuresFile && bytes.error().code == ErrorCode::kNotFound) continue;
    if (!bytes.ok()) return bytes.error();
    KC_RETURN_IF_ERROR(tar.Add(path, base::AsBytes(*bytes)));
  }
  KC_ASSIGN_OR_RETURN(const WithheldHead::Annex annex, request_.keep_annex(origin, std::move(tar).Finish()));
  return std::optional<WithheldHead::Annex>(annex);
}

// CheckMade holds what was made against what it was made from.
Result<RecordReport> CheckMade(const NewFolder& made, const RecordReport& from, const Trust* trust,
                               const Judge& judge) {
  KC_ASSIGN_OR_RETURN(RecordReport report, judge(made.path(), {trust, 1, std::nullopt}));
  if (report.verdict == from.verdict && report.log_root == from.log_root && report.entries == from.entries) {
    return report;
  }
  std::string why;
  for (const Finding& finding : report.findings) why += fmt::format("; {} {}", finding.rule, finding.message);
  return MakeError(ErrorCode::kInternal, fmt::format("what was made is {} where {} is expected{}",
                                                     VerdictName(report.verdict), VerdictName(from.verdict), why));
}

Result<RecordReport> Redaction::Run() {
  KC_ASSIGN_OR_RETURN(const RecordReport record, CheckRecord());
  KC_ASSIGN_OR_RETURN(const RecordFolder folder, RecordFolder::Open(request_.record));
  KC_ASSIGN_OR_RETURN(NewFolder out, NewFolder::Make(request_.out));
  KC_RETURN_IF_ERROR(SortFiles(folder));
  KC_RETURN_IF_ERROR(WriteLog(folder, out));
  for (const std::string& path : shown_) KC_RETURN_IF_ERROR(out.Copy(folder, path));
  KC_RETURN_IF_ERROR(WriteDisclosures(folder, out));

  WithheldHead head{record.origin, rules_.publish, rules_.reasons, {}};
  KC_ASSIGN_OR_RETURN(head.annex, KeepAnnex(folder, record.origin));
  std::string ledger = head.Line() + "\n";
  for (const auto& [path, rule] : hidden_) ledger += WithheldFileLine(path, rule->label, rule->reason) + "\n";
  ledger += rows_;
  KC_RETURN_IF_ERROR(out.Write(kWithheldFile, base::AsBytes(ledger)));
  KC_ASSIGN_OR_RETURN(RecordReport report, CheckMade(out, record, request_.trust, request_.judge));
  KC_RETURN_IF_ERROR(out.Publish());
  report.folder = request_.out;
  return report;
}

}  // namespace

std::vector<std::string> WithholdableWords() {
  std::vector<std::string> words;
  for (const EntryTypeFacts& facts : EntryTypes()) {
    const std::string_view word = WordOf(facts);
    if (facts.may_be_withheld && std::find(words.begin(), words.end(), word) == words.end()) words.emplace_back(word);
  }
  return words;
}

std::optional<int> LabelRank(std::string_view label) {
  if (label == "green") return 0;
  if (label == "amber") return 1;
  if (label == "red") return 2;
  return std::nullopt;
}

Result<RecordReport> Redact(const RedactionRequest& request) { return Redaction(request).Run(); }

Result<RecordReport> RestoreRecord(const std::string& bundle, base::ByteView archive, const std::string& out,
                                   const Trust* trust, const Judge& judge) {
  KC_ASSIGN_OR_RETURN(const RecordReport report, judge(bundle, {trust, 1, std::nullopt}));
  const auto refuse = [](const std::string& why) {
    return base::Refusal("RED-ANNEX-01", why,
                         "an annex belongs to the one bundle that has its digest in withheld.jsonl");
  };
  if (report.label.empty()) return refuse(bundle + " is no bundle: it has no withheld.jsonl");
  if (report.verdict == Verdict::kInvalid || report.verdict == Verdict::kFork) {
    return refuse(fmt::format("{} is {}", bundle, VerdictName(report.verdict)));
  }
  Result<std::map<std::string, base::ByteView>> files = ReadTar(archive);
  if (!files.ok()) return std::move(files).error();
  if (!files->contains(std::string(kLogFile))) return refuse("the annex has no log");
  KC_ASSIGN_OR_RETURN(const RecordFolder folder, RecordFolder::Open(bundle));
  KC_ASSIGN_OR_RETURN(const RecordFolder::Listing listing, folder.List());
  KC_ASSIGN_OR_RETURN(NewFolder made, NewFolder::Make(out));
  for (const auto& [path, content] : *files) {
    if (path != kLogFile && path != kDisclosuresFile && !MayBeWithheldFile(path)) {
      return refuse(path + " is in the annex, and is never withheld");
    }
    KC_RETURN_IF_ERROR(made.Write(path, content));
  }
  for (const std::string& path : listing.files) {
    if (path == kLogFile || path == kDisclosuresFile || path == kWithheldFile) continue;
    if (files->contains(path)) return refuse(path + " is in the annex and in the bundle");
    KC_RETURN_IF_ERROR(made.Copy(folder, path));
  }
  Result<RecordReport> whole = CheckMade(made, report, trust, judge);
  if (!whole.ok()) {
    if (whole.error().code == ErrorCode::kInternal) return refuse(whole.error().message);
    return std::move(whole).error();
  }
  KC_RETURN_IF_ERROR(made.Publish());
  whole->folder = out;
  return whole;
}

}  // namespace ceremony::record
