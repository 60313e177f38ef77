// Clauses of the standards that a ceremony report answers, in one table: what each asks
// for, in a few words, when it applies, and which entries of a record support it. Texts
// are paraphrases: auditors read the standard itself.
#ifndef CEREMONY_REPORT_CLAUSES_H_
#define CEREMONY_REPORT_CLAUSES_H_

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ceremony::report {

// A source is the name of a piece of evidence in RecordStory: "do:<kind of step>",
// "type:<entry type>", "effect:<name>", "role:<role in the room>",
// "observe:<what>", "artefact:<kind>", "open:<member>". A `*` at its end stands for the rest.
struct Clause {
  std::string_view standard;  // "ETSI EN 319 411-1"
  std::string_view clause;    // "6.5.1"
  std::string_view asks;
  std::array<std::string_view, 4> applies;  // any of these; none: to every ceremony
  std::array<std::string_view, 6> evidence;
};

std::span<const Clause> Clauses();

// Matches returns whether evidence with this source matches a source of the table.
bool Matches(std::string_view wanted, std::string_view source);

struct ClauseName {
  std::string standard;  // as in the table
  std::string clause;
  bool operator==(const ClauseName& other) const = default;
};

// ClausesIn reads the words of a step kind's description: "BR 6.1.1.1; EN 319
// 411-1 6.4.3, 6.5.2 (what for)". A standard that is not in the table is left out.
std::vector<ClauseName> ClausesIn(std::string_view words);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_CLAUSES_H_
