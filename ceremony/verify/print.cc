#include "ceremony/verify/print.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/rules.h"
#include "hsm/base/clock.h"
#include "hsm/base/encoding.h"
#include "hsm/base/utf8.h"
#include "hsm/base/words.h"

namespace ceremony::verify {
namespace {

using nlohmann::ordered_json;
using record::ArchiveReport;
using record::Finding;
using record::RecordReport;
using record::Verdict;

// Test environments are held as production is.
bool IsOfTest(const RecordReport& report) { return !report.environment.empty() && report.environment != report.mode; }

constexpr std::int64_t kLastSecond = 253402300799;  // of the year 9999

std::string_view Meaning(Verdict verdict) {
  switch (verdict) {
    case Verdict::kComplete:
      return "the record is closed, every digest and signature holds, and a quorum of the custodians you trust vouches "
             "for it";
    case Verdict::kUnpinned:
      return "the record agrees with itself from its first byte to its last, but you gave no roster: nobody vouches "
             "for the custodians' keys in it";
    case Verdict::kIncomplete:
      return "what is there is good, but it is not the whole of a finished ceremony";
    case Verdict::kFork:
      return "the log key signed two histories that cannot both be true";
    case Verdict::kInvalid:
      break;
  }
  return "something does not verify: do not rely on this record";
}

void PrintVerdict(Verdict verdict, std::ostream& out) {
  out << record::VerdictName(verdict) << ": " << Meaning(verdict) << "\n";
}

void PrintRoot(const record::Hash& root, std::ostream& out) {
  out << "  root        " << base::GroupedHex(root) << "\n";
  const std::vector<std::string> words = base::PgpWords(root);
  // As the room and the booklet set them: rows of four, read across.
  constexpr std::size_t kWordsALine = 4;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool last = i % kWordsALine == kWordsALine - 1 || i + 1 == words.size();
    if (i % kWordsALine == 0) out << fmt::format("              from byte {:>2}  ", i);
    out << (last ? words[i] + "\n" : fmt::format("{:<12}", words[i]));
  }
}

void PrintFindings(const std::vector<Finding>& findings, std::uint64_t more, std::ostream& out) {
  if (findings.empty()) return;
  out << "\nfindings\n";
  for (const Finding& finding : findings) {
    const record::Rule* const rule = record::FindRule(finding.rule);
    out << "  " << finding.rule;
    if (rule != nullptr && rule->severity == record::Severity::kNotice) out << " (notice)";
    if (finding.entry) out << ", entry " << *finding.entry;
    out << ": " << Printable(finding.message) << "\n";
    if (rule != nullptr) out << "      the rule: " << rule->sentence << "\n";
  }
  if (more > 0) out << "  and " << more << " more\n";
}

bool IsCalledOff(const RecordReport& report) {
  return std::ranges::any_of(report.findings, [](const Finding& finding) { return finding.rule == "SCR-CALLED-OFF"; });
}

void PrintFacts(const RecordReport& report, std::ostream& out) {
  if (IsCalledOff(report)) out << "CALLED OFF: people ended the ceremony before its script was done\n";
  out << "\n";
  out << "  record      " << Printable(report.folder) << "\n";
  if (!report.ceremony.empty()) out << "  ceremony    " << Printable(report.ceremony) << "\n";
  if (!report.origin.empty()) out << "  origin      " << Printable(report.origin) << "\n";
  if (!report.mode.empty()) {
    out << "  mode        " << Printable(report.mode)
        << (report.mode == "rehearsal" ? " (its keys are worth nothing)" : "") << "\n";
  }
  if (IsOfTest(report)) out << "  environment " << Printable(report.environment) << "\n";
  out << "  entries     " << report.entries << (report.closed ? ", closed" : ", not closed") << "\n";
  if (report.last) {
    out << "  signed      the first " << report.last->size << " entries\n";
    PrintRoot(report.last->root, out);
  }
  if (!report.cosigners.empty()) {
    out << "  cosigned by";
    for (const std::string& person : report.cosigners) out << " " << Printable(person);
    out << "\n";
  }
  for (const record::Witnessing& each : report.witnessings) {
    out << "  witnessed   the first " << each.size << " entries, by " << Printable(each.witness) << " at "
        << base::FormatTime(each.seconds > kLastSecond ? 0 : each.seconds * 1'000'000) << "\n";
  }
  if (!report.stamped_at.empty()) {
    out << "  time-stamp  " << report.stamped_at << " by " << Printable(report.stamped_by) << "\n";
  }
}

void PrintWithheld(const RecordReport& report, std::ostream& out) {
  if (report.label.empty()) return;
  out << "\n  a bundle for " << Printable(report.label) << " readers; withheld are\n";
  if (report.withheld.empty()) out << "    nothing\n";
  for (const record::WithheldCount& row : report.withheld) {
    out << "    " << row.count << " x " << Printable(row.what);
    if (!row.reason.empty()) out << " (" << Printable(row.reason) << ")";
    out << "\n";
  }
}

ordered_json ToJson(const std::vector<Finding>& findings) {
  ordered_json list = ordered_json::array();
  for (const Finding& finding : findings) {
    ordered_json item;
    item["rule"] = finding.rule;
    item["entry"] = finding.entry ? ordered_json(*finding.entry) : ordered_json(nullptr);
    item["message"] = finding.message;
    list.push_back(std::move(item));
  }
  return list;
}

ordered_json ToJson(const RecordReport& report) {
  ordered_json object;
  object["verdict"] = record::VerdictName(report.verdict);
  object["origin"] = report.origin;
  object["entries"] = report.entries;
  object["ceremony"] = report.ceremony;
  object["mode"] = report.mode;
  if (IsOfTest(report)) object["environment"] = report.environment;
  if (!report.witnessings.empty()) {
    object["witnessings"] = ordered_json::array();
    for (const record::Witnessing& each : report.witnessings) {
      object["witnessings"].push_back({{"witness", each.witness}, {"size", each.size}, {"seconds", each.seconds}});
    }
  }
  if (!report.stamped_at.empty()) object["timestamp"] = {{"time", report.stamped_at}, {"authority", report.stamped_by}};
  if (!report.label.empty()) {
    object["label"] = report.label;
    object["withheld"] = ordered_json::array();
    for (const record::WithheldCount& row : report.withheld) {
      object["withheld"].push_back({{"what", row.what}, {"reason", row.reason}, {"count", row.count}});
    }
  }
  object["findings"] = ToJson(report.findings);
  return object;
}

// Print replaces bytes of a hostile record that are not UTF-8, instead of failing on them.
void Print(const ordered_json& object, std::ostream& out) {
  out << object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << "\n";
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t code_point = base::NextCodePoint(text, at);
    const bool shown = code_point != base::kNotUtf8 && code_point != '\n' && !base::IsInvisible(code_point);
    out += shown ? text.substr(begin, at - begin) : "?";
  }
  return out;
}

void PrintRecord(const RecordReport& report, std::ostream& out) {
  PrintVerdict(report.verdict, out);
  PrintFacts(report, out);
  PrintWithheld(report, out);
  PrintFindings(report.findings, report.more, out);
}

void PrintArchive(const ArchiveReport& report, std::ostream& out) {
  PrintVerdict(report.verdict, out);
  out << "\n";
  for (const RecordReport& each : report.records) {
    out << "  " << Printable(each.folder) << "  " << record::VerdictName(each.verdict) << ", " << each.entries
        << " entries" << (IsCalledOff(each) ? ", called off" : "") << "\n";
  }
  PrintFindings(report.findings, 0, out);
  for (const RecordReport& each : report.records) {
    out << "\n";
    PrintVerdict(each.verdict, out);
    PrintFacts(each, out);
    PrintWithheld(each, out);
    PrintFindings(each.findings, each.more, out);
  }
}

void PrintProof(const record::ProofReport& report, std::ostream& out) {
  const bool holds = report.verdict == Verdict::kComplete;
  out << record::VerdictName(report.verdict) << ": "
      << (holds ? "the line is that entry of the record, and a quorum of the custodians you trust vouches for its root"
                : Meaning(report.verdict))
      << "\n\n  origin      " << Printable(report.checkpoint.origin) << "\n  entry       " << report.entry << " of "
      << report.checkpoint.size << "\n";
  PrintRoot(report.checkpoint.root, out);
  if (!report.cosigners.empty()) {
    out << "  cosigned by";
    for (const std::string& person : report.cosigners) out << " " << Printable(person);
    out << "\n";
  }
  if (!report.line.empty()) out << "  line        " << Printable(report.line) << "\n";
  PrintFindings(report.findings, 0, out);
}

void PrintProofJson(const record::ProofReport& report, std::ostream& out) {
  ordered_json object;
  object["verdict"] = record::VerdictName(report.verdict);
  object["origin"] = report.checkpoint.origin;
  object["entry"] = report.entry;
  object["size"] = report.checkpoint.size;
  object["root"] = base::HexEncode(report.checkpoint.root);
  object["cosigners"] = report.cosigners;
  object["line"] = report.line;
  object["findings"] = ToJson(report.findings);
  Print(object, out);
}

void PrintRecordJson(const RecordReport& report, std::ostream& out) { Print(ToJson(report), out); }

void PrintArchiveJson(const ArchiveReport& report, std::ostream& out) {
  ordered_json object;
  object["verdict"] = record::VerdictName(report.verdict);
  object["findings"] = ToJson(report.findings);
  object["records"] = ordered_json::array();
  for (const RecordReport& each : report.records) object["records"].push_back(ToJson(each));
  Print(object, out);
}

}  // namespace ceremony::verify
