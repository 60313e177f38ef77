#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "ceremony/report/page.h"
#include "ceremony/report/sections.h"
#include "hsm/base/counted.h"

namespace ceremony::report {
namespace {

constexpr std::size_t kMostRows = 5000;

void More(std::uint64_t count, Html& html) {
  if (count > 0) html.Element("<p>and ", base::Counted(count, "row", "rows"), " more, in the file</p>\n");
}

// Digests of files that the log has, by path in the record.
std::unordered_map<std::string, std::string> DigestsOf(const ReportData& data) {
  std::unordered_map<std::string, std::string> digests;
  for (const FileNamed& file : data.inputs) digests.emplace("inputs/" + file.name, file.sha256);
  for (const FileNamed& file : data.artefacts) digests.emplace("artefacts/" + file.name, file.sha256);
  return digests;
}

void Row(const LedgerRow& row, const Ledger& ledger, const std::unordered_map<std::string, std::string>& digests,
         Html& html) {
  if (row.file.empty()) {
    html.Raw("<tr><td class=\"e\">");
    Entry(row.first, html);
    if (row.last != row.first) {
      html.Raw(" – ");
      Entry(row.last, html);
    }
    html.Raw("</td><td class=\"n\">").Number(static_cast<std::int64_t>(row.last - row.first + 1));
    html.Element("</td><td>", row.type, "</td>");
  } else {
    html.Element("<tr><td colspan=\"3\"><code>", row.file, "</code>");
    if (const auto known = digests.find(row.file); known != digests.end()) {
      html.Raw("<br>");
      Digest(known->second, html);
    }
    html.Raw("</td>");
  }
  html.Raw("<td>");
  Chip(row.label == "red" ? Tone::kBad : row.label == "amber" ? Tone::kWarning : Tone::kQuiet, row.label, html);
  const auto reason = ledger.reasons.find(row.reason);
  html.Element("</td><td>", reason == ledger.reasons.end() ? std::string() : reason->second, " ")
      .Element("<span class=\"id\">(", row.reason, ")</span></td></tr>\n");
}

// The ledger of a published bundle: what it leaves out, and why.
void LedgerTable(const ReportData& data, Html& html) {
  const Ledger& ledger = data.ledger;
  html.Element("<h3>The ledger</h3>\n<p>This is the report of a bundle for ", data.verdict.label, " readers. ");
  html.Element("It withholds ", base::Counted(ledger.entries, "entry", "entries"), " and ")
      .Element("", base::Counted(ledger.files, "file", "files"),
               ". Number and places are proven, types and reasons are the word of who published it.</p>\n");
  html.Raw("<p>").Text(ledger.annex.empty() ? "No annex belongs to it."
                                            : "What is withheld is sealed in an annex, SHA-256 " + ledger.annex + ".");
  html.Raw("</p>\n");
  if (ledger.cut_short)
    html.Raw("<p class=\"bad\">It goes on with a line that is no row of a ledger. Nothing after it was read.</p>\n");
  if (ledger.rows.empty()) return;
  html.Raw("<div class=\"wide\"><table>")
      .Head({"entries, or file", {"count", Column::kNumbers}, "type", "label", "reason"});
  const auto digests = DigestsOf(data);
  const std::size_t shown = std::min(ledger.rows.size(), kMostRows);
  for (std::size_t i = 0; i < shown; ++i) Row(ledger.rows[i], ledger, digests, html);
  html.Raw("</tbody></table></div>\n");
  More(ledger.rows.size() - shown + ledger.more, html);
}

void SaltedFields(const ReportData& data, Html& html) {
  html.Raw(
          "<h3>Fields that are salted digests</h3>\n<p>Their words were kept apart when the entry was written. Whoever "
          "is shown a line of disclosures.jsonl can hold it against the digest.</p>\n<div class=\"wide\"><table>")
      .Head({"entry", "field", "digest, base64url of SHA-256", ""});
  const std::size_t shown = std::min(data.salted.size(), kMostRows);
  for (std::size_t i = 0; i < shown; ++i) {
    const SaltedField& field = data.salted[i];
    html.Raw("<tr><td class=\"e\">");
    Entry(field.entry, html);
    html.Element("</td><td>", field.name, "</td>").Element("<td><code class=\"digest\">", field.digest, "</code></td>");
    html.Raw("<td>");
    Chip(field.opened ? Tone::kGood : Tone::kQuiet, field.opened ? "opened in this bundle" : "withheld", html);
    html.Raw("</td></tr>\n");
  }
  html.Raw("</tbody></table></div>\n");
  More(data.salted.size() - shown, html);
}

}  // namespace

void Withheld(const ReportData& data, Html& html) {
  html.Raw("<section id=\"withheld\"><h2>What is withheld</h2>\n");
  if (data.withheld > 0) {
    html.Element("<p>",
                 base::Counted(data.withheld, "entry is withheld, and stands in the log as the hash of its leaf",
                               "entries are withheld, and stand in the log as the hashes of their leaves"),
                 ". The root and every signature cover what is withheld all the same.</p>\n");
  } else if (data.salted.empty()) {
    html.Raw("<p>Nothing: every entry of the log was there when this report was made.</p>\n");
  } else {
    html.Raw("<p>No entry: the whole log was there when this report was made.</p>\n");
  }
  if (!data.verdict.label.empty()) LedgerTable(data, html);
  if (!data.salted.empty()) SaltedFields(data, html);
  html.Raw("<div class=\"wide\"><table><caption>Entries that were read</caption>")
      .Head({"type", {"entries", Column::kNumbers}});
  for (const auto& [type, count] : data.entries_by_type) {
    html.Element("<tr><td>", type, "</td><td class=\"n\">")
        .Number(static_cast<std::int64_t>(count))
        .Raw("</td></tr>\n");
  }
  html.Raw("</tbody></table></div>\n</section>\n");
}

}  // namespace ceremony::report
