#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "ceremony/report/clauses.h"
#include "ceremony/report/json_text.h"
#include "ceremony/report/page.h"
#include "ceremony/report/sections.h"
#include "ceremony/steps/catalogue.h"

namespace ceremony::report {
namespace {

constexpr std::size_t kEntriesShown = 8;

struct Found {
  std::vector<std::string> by;         // what justifies it, in words
  std::vector<std::uint64_t> entries;  // some of them
  std::size_t more = 0;
};

// Sources of a record, each with its entries: a record of many entries has few sources.
using Sources = std::map<std::string, std::vector<std::uint64_t>>;

bool AnyMatches(std::span<const std::string_view> wanted, const Sources& sources) {
  return std::any_of(wanted.begin(), wanted.end(), [&](std::string_view each) {
    return std::any_of(sources.begin(), sources.end(), [&](const auto& source) { return Matches(each, source.first); });
  });
}

std::vector<ClauseName> ClausesOf(std::string_view source) {
  constexpr std::string_view kDo = "do:";
  const steps::StepKind* const kind =
      source.starts_with(kDo) ? steps::Catalogue().Find(source.substr(kDo.size())) : nullptr;
  return kind == nullptr ? std::vector<ClauseName>() : ClausesIn(kind->description().clauses);
}

// A kind's own words answer to the first row of a clause; what else the clause asks for stands in rows of its own.
bool IsMentioned(const Clause& clause, std::string_view source) {
  const auto first = std::find_if(Clauses().begin(), Clauses().end(), [&](const Clause& each) {
    return each.standard == clause.standard && each.clause == clause.clause;
  });
  if (&*first != &clause) return false;
  const std::vector<ClauseName> named = ClausesOf(source);
  return std::find(named.begin(), named.end(), ClauseName{std::string(clause.standard), std::string(clause.clause)}) !=
         named.end();
}

bool IsInTable(const ClauseName& name) {
  return std::any_of(Clauses().begin(), Clauses().end(), [&](const Clause& clause) {
    return clause.standard == name.standard && clause.clause == name.clause;
  });
}

Found Gather(const Sources& sources) {
  Found found;
  std::set<std::uint64_t> entries;
  for (const auto& [source, list] : sources) {
    const std::string name = source.substr(source.find(':') + 1);
    found.by.push_back(source.starts_with("role:") ? Spoken(name, '-') : name);
    entries.insert(list.begin(), list.end());
  }
  for (const std::uint64_t entry : entries) {
    if (found.entries.size() == kEntriesShown) break;
    found.entries.push_back(entry);
  }
  found.more = entries.size() - found.entries.size();
  return found;
}

Found EvidenceOf(const Clause& clause, const Sources& sources) {
  Sources chosen;
  for (const auto& source : sources) {
    const bool wanted = std::any_of(clause.evidence.begin(), clause.evidence.end(),
                                    [&](std::string_view each) { return Matches(each, source.first); });
    if (wanted || IsMentioned(clause, source.first)) chosen.insert(source);
  }
  return Gather(chosen);
}

// Justified ends a row with what justifies it, and the entries.
void Justified(const Found& found, Html& html) {
  html.Element("<td>", Joined(found.by), "</td><td>");
  for (const std::uint64_t entry : found.entries) {
    Entry(entry, html);
    html.Raw(" ");
  }
  if (found.more > 0) html.Text(fmt::format("and {} more", found.more));
  html.Raw("</td></tr>\n");
}

}  // namespace

void EvidenceMatrix(const ReportData& data, Html& html) {
  Sources sources;
  for (const Evidence& evidence : data.evidence) sources[evidence.source].push_back(evidence.entry);
  html.Raw(
          "<section id=\"evidence\"><h2>Evidence, clause by clause</h2>\n<p>What a clause asks for is told in words of "
          "ours; a gap is a clause that applies to what was done here and that no entry answers. Whether the evidence "
          "is enough is for the auditor to say.</p>\n<p class=\"id\">Numbers are those of ETSI EN 319 411-1 V1.5.1, "
          "CA/B Forum TLS Baseline Requirements 2.2.6, WebTrust for Certification Authorities 2.2 and NIST SP 800-57 "
          "Part 1 Rev. 5.</p>\n<div class=\"wide\"><table>")
      .Head({"clause", "asks that", "justified by", "entries"});
  std::vector<std::string> elsewhere;
  for (const Clause& clause : Clauses()) {
    const bool always = clause.applies[0].empty();
    if (!always && !AnyMatches(clause.applies, sources)) {
      std::string name = fmt::format("{} {}", clause.standard, clause.clause);
      if (elsewhere.empty() || elsewhere.back() != name) elsewhere.push_back(std::move(name));
      continue;
    }
    const Found found = EvidenceOf(clause, sources);
    html.Element("<tr><th scope=\"row\">", clause.standard, " ")
        .Text(clause.clause)
        .Element("</th><td>", clause.asks, "</td>");
    if (found.entries.empty()) {
      html.Element("<td class=\"gap\">",
                   data.withheld > 0 ? "gap: nothing that this bundle shows" : "gap: nothing in this record",
                   "</td><td></td></tr>\n");
      continue;
    }
    Justified(found, html);
  }
  // What kinds of steps name and the table does not know stands with the words of the kind.
  std::map<std::pair<std::string, std::string>, Sources> others;
  for (const auto& source : sources) {
    for (const ClauseName& name : ClausesOf(source.first)) {
      if (!IsInTable(name)) others[{name.standard, name.clause}].insert(source);
    }
  }
  for (const auto& [name, by] : others) {
    html.Element("<tr><th scope=\"row\">", name.first, " ").Text(name.second);
    html.Raw("</th><td class=\"none\">as the kind of step says</td>");
    Justified(Gather(by), html);
  }
  html.Raw("</tbody></table></div>\n");
  if (!elsewhere.empty()) html.Element("<p class=\"id\">Not touched by this ceremony: ", Joined(elsewhere), ".</p>\n");
  html.Raw("</section>\n");
}

}  // namespace ceremony::report
