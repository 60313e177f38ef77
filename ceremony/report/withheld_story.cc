#include "ceremony/report/withheld_story.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "ceremony/record/disclosure.h"
#include "ceremony/record/disclosure_audit.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/line_walk.h"
#include "ceremony/record/withheld.h"
#include "ceremony/report/json_text.h"

namespace ceremony::report {
namespace {

using base::ErrorCode;
using base::Result;
using nlohmann::json;

constexpr std::size_t kShownOfDigest = 8;
constexpr std::size_t kMostRows = 20'000;

void Keep(Ledger& ledger, LedgerRow row) {
  if (ledger.rows.size() == kMostRows) {
    ++ledger.more;
  } else {
    ledger.rows.push_back(std::move(row));
  }
}

// A row for an entry goes on the row before it when nothing but its number is another.
void AddEntry(Ledger& ledger, std::uint64_t entry, LedgerRow row) {
  ++ledger.entries;
  if (!ledger.rows.empty()) {
    LedgerRow& last = ledger.rows.back();
    if (last.file.empty() && last.last + 1 == entry && last.type == row.type && last.label == row.label &&
        last.reason == row.reason) {
      last.last = entry;
      return;
    }
  }
  row.first = row.last = entry;
  Keep(ledger, std::move(row));
}

// TakeHead is false for a line that does not begin a ledger.
bool TakeHead(std::string_view line, Ledger& ledger) {
  const std::optional<record::WithheldHead> head = record::WithheldHead::Parse(line);
  if (!head) return false;
  ledger.reasons = head->reasons;
  if (head->annex) ledger.annex = fmt::format("{} ({} bytes)", head->annex->sha256, head->annex->size);
  return true;
}

// TakeRow is false for a line that is no row of a ledger.
bool TakeRow(std::string_view line, Ledger& ledger) {
  const json object = json::parse(line, nullptr, false);
  if (!object.is_object()) return false;
  LedgerRow row;
  row.type = TextOf(object, "type");
  row.label = TextOf(object, "label");
  row.reason = TextOf(object, "reason");
  row.file = TextOf(object, "file");
  if (!row.file.empty()) {
    row.type = "file";
    ++ledger.files;
    Keep(ledger, std::move(row));
    return true;
  }
  const json& entry = MemberOf(object, "entry");
  if (!entry.is_number_unsigned()) return false;
  AddEntry(ledger, entry.get<std::uint64_t>(), std::move(row));
  return true;
}

bool IsSalted(const json& value) {
  return value.is_object() && value.size() == 1 && MemberOf(value, record::kSaltedDigestKey).is_string();
}

}  // namespace

Result<Openings> ReadOpenings(const record::RecordFolder& folder) {
  Openings openings;
  const Result<std::string> text = folder.ReadSmall(record::kDisclosuresFile, record::kMaxDisclosureFile);
  if (!text.ok()) return text.error().code == ErrorCode::kIo ? Result<Openings>(text.error()) : openings;
  for (std::string_view rest = *text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;
    const json line = json::parse(rest.substr(0, end), nullptr, false);
    rest.remove_prefix(end + 1);
    const std::string d = TextOf(line, record::kDisclosureKey);
    if (const Result<record::OpenedDisclosure> opened = record::OpenDisclosure(d); opened.ok())
      openings.emplace(record::DigestOfDisclosure(d), opened->value);
  }
  return openings;
}

Result<Ledger> ReadLedger(const record::RecordFolder& folder) {
  Ledger ledger;
  bool is_first = true;
  const auto take = [&](std::string_view line) -> Result<bool> {
    const bool is_whole = std::exchange(is_first, false) ? TakeHead(line, ledger) : TakeRow(line, ledger);
    ledger.cut_short = !is_whole;
    return is_whole;
  };
  auto read = record::ForEachLine(folder, record::kWithheldFile, take);
  if (!read.ok() && read.error().code == ErrorCode::kIo) return std::move(read).error();
  if (!read.ok() && read.error().code == ErrorCode::kCorrupt) ledger.cut_short = true;
  return ledger;
}

void TellSalted(json& entry, std::uint64_t seq, const Openings& openings, std::vector<SaltedField>& fields) {
  if (!entry.is_structured()) return;
  for (const auto& item : entry.items()) {
    json& value = item.value();
    if (!entry.is_object() || !IsSalted(value)) {
      TellSalted(value, seq, openings, fields);
      continue;
    }
    const std::string digest = TextOf(value, record::kSaltedDigestKey);
    const auto opened = openings.find(digest);
    fields.push_back({seq, item.key(), digest, opened != openings.end()});
    value = opened != openings.end()
                ? json::parse(opened->second, nullptr, false)
                : json(fmt::format("withheld (salted {}…)", std::string_view(digest).substr(0, kShownOfDigest)));
  }
}

}  // namespace ceremony::report
