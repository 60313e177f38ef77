#include <algorithm>
#include <map>
#include <set>

#include "ceremony/record/findings.h"
#include "ceremony/record/folder_audit.h"
#include "ceremony/record/key_book.h"
#include "ceremony/record/reader.h"
#include "ceremony/record/verify.h"

namespace ceremony::record {
namespace {

using base::Result;

// NumberOf reads the number of a record's folder, NNNN-<ceremony id>: four
// digits or, from 10000 on, as many as it needs.
std::optional<std::uint64_t> NumberOf(std::string_view name) {
  const std::size_t hyphen = name.find('-');
  if (hyphen == std::string_view::npos || hyphen < 4 || hyphen > 9 || hyphen + 1 == name.size()) return std::nullopt;
  if (hyphen > 4 && name[0] == '0') return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : name.substr(0, hyphen)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

struct NumberedFolder {
  std::uint64_t number;
  std::string name;
};

Result<std::vector<NumberedFolder>> NumberedFolders(const std::string& path) {
  KC_ASSIGN_OR_RETURN(const RecordFolder folder, RecordFolder::Open(path));
  KC_ASSIGN_OR_RETURN(const std::vector<std::string> names, folder.Folders());
  std::vector<NumberedFolder> out;
  for (const std::string& name : names) {
    if (const std::optional<std::uint64_t> number = NumberOf(name)) out.push_back({*number, name});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const NumberedFolder& a, const NumberedFolder& b) { return a.number < b.number; });
  return out;
}

std::string Words(const std::optional<Checkpoint>& checkpoint) {
  if (!checkpoint) return "no record";
  return checkpoint->origin + " at " + std::to_string(checkpoint->size) + " entries";
}

// The order of verdicts is that of Severity.
int Rank(Verdict verdict) { return static_cast<int>(verdict); }

}  // namespace

Result<bool> IsArchive(const std::string& folder) {
  KC_ASSIGN_OR_RETURN(const std::vector<NumberedFolder> records, NumberedFolders(folder));
  return !records.empty();
}

Result<ArchiveReport> VerifyArchive(const std::string& folder, const VerifyOptions& options) {
  KC_ASSIGN_OR_RETURN(const std::vector<NumberedFolder> folders, NumberedFolders(folder));
  if (folders.empty()) {
    return base::MakeError(base::ErrorCode::kNotFound,
                           folder + " holds no record: no folder is named NNNN-<ceremony id>");
  }
  std::string kept_origin;
  if (options.checkpoint_note) {
    Result<SignedCheckpoint> kept = ParseSignedCheckpoint(*options.checkpoint_note, "the checkpoint you gave");
    if (!kept.ok()) {
      base::Error error = std::move(kept).error();
      error.code = base::ErrorCode::kInvalidInput;
      return error;
    }
    kept_origin = kept->checkpoint.origin;
  }

  ArchiveReport report;
  Findings findings;
  std::map<std::string, std::string> folder_of_origin;
  KeyBook keys;
  std::optional<Checkpoint> before;
  std::uint64_t expected = 1;
  for (const auto& [number, name] : folders) {
    if (number != expected) {
      findings.Add("ARC-ORDER", std::nullopt,
                   name + " stands where number " + std::to_string(expected) + " is expected");
    }
    expected = number + 1;
    const KeyBook before_it = keys;
    VerifyOptions of_archive{options.trust, options.threads, std::nullopt};
    of_archive.keys = &keys;
    KC_ASSIGN_OR_RETURN(RecordReport record, VerifyRecord(folder + "/" + name, of_archive));
    if (!kept_origin.empty() && record.origin == kept_origin) {
      VerifyOptions kept = options;  // the keys of this record are in the book already
      KeyBook again = before_it;
      kept.keys = &again;
      KC_ASSIGN_OR_RETURN(record, VerifyRecord(folder + "/" + name, kept));
    }
    record.folder = name;
    if (!record.ceremony.empty() && name.substr(name.find('-') + 1) != record.ceremony) {
      findings.Add("ARC-ORDER", std::nullopt, name + " holds the record of the ceremony " + record.ceremony);
    }
    if (!record.origin.empty()) {
      const auto [other, fresh] = folder_of_origin.emplace(record.origin, name);
      if (!fresh)
        findings.Add("ARC-ORIGIN", std::nullopt,
                     name + " and " + other->second + " have the same origin " + record.origin);
      if (record.previous != before) {
        findings.Add(
            "ARC-CHAIN", std::nullopt,
            name + " follows " + Words(record.previous) + ", but the record before it ends with " + Words(before));
      }
    }
    // A ceremony that was broken off is continued from what it signed last; one
    // that never signed anything is passed over.
    if (record.last) before = record.last;
    report.records.push_back(std::move(record));
  }
  if (!kept_origin.empty() && !folder_of_origin.contains(kept_origin)) {
    findings.Add("ARC-ORIGIN", std::nullopt, "no record has the origin of the checkpoint you gave, " + kept_origin);
  }

  report.verdict = findings.verdict();
  for (const RecordReport& record : report.records) {
    if (Rank(record.verdict) > Rank(report.verdict)) report.verdict = record.verdict;
  }
  report.findings = findings.list();
  return report;
}

}  // namespace ceremony::record
