#include "ceremony/record/disclosure_audit.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/record/characters.h"
#include "ceremony/record/disclosure.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/log_reader.h"
#include "ceremony/record/scanner.h"

namespace ceremony::record {
namespace {

using base::FileDescriptor;
using base::Result;

constexpr std::size_t kDigestCharacters = 43;
constexpr std::string_view kSaltedBegin = "{\"_sd\":\"";
constexpr std::size_t kMaxNames = 1000;  // of fields that are counted; a hostile log can have more

bool IsBase64Url(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return IsKeyCharacter(c) && c != '.'; });
}

}  // namespace

bool FindSalted(std::string_view& text, SaltedDigest& found) {
  for (;;) {
    const std::size_t at = text.find(kSaltedBegin);
    if (at == std::string_view::npos) return false;
    const std::string_view before = text.substr(0, at);
    const std::string_view after = text.substr(at + kSaltedBegin.size());
    text = after;
    if (after.size() < kDigestCharacters + 2 || after.substr(kDigestCharacters, 2) != "\"}" ||
        !IsBase64Url(after.substr(0, kDigestCharacters))) {
      continue;
    }
    found.digest = after.substr(0, kDigestCharacters);
    found.name = {};
    if (before.ends_with("\":")) {
      std::size_t begin = before.size() - 2;
      while (begin > 0 && IsKeyCharacter(before[begin - 1])) --begin;
      found.name = before.substr(begin, before.size() - 2 - begin);
    }
    return true;
  }
}

void DisclosureAudit::Wrong(std::uint64_t line, const std::string& message) {
  findings_.Add("RED-DISCLOSURE", std::nullopt, fmt::format("{}, line {}: {}", kDisclosuresFile, line, message));
}

Result<void> DisclosureAudit::Begin(bool count) {
  is_wanted_ = count;
  Result<FileDescriptor> file = folder_.OpenFile(kDisclosuresFile);
  if (!file.ok()) {
    // A strange file is told of where the folder is listed.
    if (file.error().code == base::ErrorCode::kIo) return std::move(file).error();
    return {};
  }
  is_wanted_ = true;
  LogReader reader(std::move(file).value());
  LogReader::Block block;
  for (;;) {
    KC_ASSIGN_OR_RETURN(const bool more, reader.Next(block));
    if (!more) break;
    if (block.offset + block.size > kMaxDisclosureFile) {
      Wrong(lines_ + 1, fmt::format("the file has more than {} bytes", kMaxDisclosureFile));
      return {};
    }
    for (std::string_view rest(block.buffer.data(), block.size); !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(line.size() + 1);
      ++lines_;
      TakeLine(line);
    }
  }
  if (reader.oversize()) Wrong(lines_ + 1, "it has more than 65535 bytes");
  is_torn_ = reader.torn_bytes() > 0;
  return {};
}

void DisclosureAudit::TakeLine(std::string_view line) {
  Scanner scanner;
  std::optional<std::string> d;
  if (scanner.ScanObject(line) == LineFault::kNone && scanner.members().size() == 1) {
    d = DecodeString(scanner.Find(kDisclosureKey));
  }
  if (!d) return Wrong(lines_, "it is not {\"d\":\"...\"}");
  const Result<OpenedDisclosure> opened = OpenDisclosure(*d);
  if (!opened.ok()) return Wrong(lines_, opened.error().message);
  if (!openings_.emplace(DigestOfDisclosure(*d), Opening{opened->name, lines_, false}).second) {
    Wrong(lines_, "it stands there twice");
  }
}

void DisclosureAudit::Take(std::string_view lines) {
  for (SaltedDigest salted; FindSalted(lines, salted);) {
    if (const auto opening = openings_.find(salted.digest); opening != openings_.end()) {
      if (opening->second.found) {
        Wrong(opening->second.line, "its digest stands in the log more than once");
      } else if (opening->second.name != salted.name) {
        Wrong(opening->second.line, fmt::format("it opens a field \"{}\", and its digest stands under \"{}\"",
                                                opening->second.name, salted.name));
      }
      opening->second.found = true;
      continue;
    }
    const auto known = closed_.find(salted.name);
    if (known != closed_.end()) {
      ++known->second;
    } else if (closed_.size() < kMaxNames) {
      closed_.emplace(salted.name, 1);
    }
  }
}

void DisclosureAudit::Finish(bool closed) {
  if (is_torn_) {
    if (closed) {
      Wrong(lines_ + 1, "the line has no end");
    } else {
      findings_.Add("RED-PENDING", std::nullopt, "disclosures.jsonl ends within a line");
    }
  }
  for (const auto& [digest, opening] : openings_) {
    if (opening.found) continue;
    if (closed) {
      Wrong(opening.line, "no entry has the digest that it opens, " + digest);
    } else {
      findings_.Add("RED-PENDING", std::nullopt,
                    fmt::format("{}, line {}: its entry is not there yet", kDisclosuresFile, opening.line));
    }
  }
}

std::vector<WithheldCount> DisclosureAudit::Counts() const {
  std::vector<WithheldCount> rows;
  for (const auto& [name, count] : closed_) rows.push_back({fmt::format("field {}", name), {}, count});
  return rows;
}

}  // namespace ceremony::record
