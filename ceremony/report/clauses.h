// Clauses of the standards that a ceremony report answers to: one table, which
// says what each asks for in a few words of ours, when it applies, and which
// entries of a record justify it. Texts are paraphrases: an operator's auditor
// reads the standard itself.
#ifndef CEREMONY_REPORT_CLAUSES_H_
#define CEREMONY_REPORT_CLAUSES_H_

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ceremony::report {

// A source is what RecordStory calls a piece of evidence: "do:<kind of step>",
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

// Matches tells whether evidence of this source answers to a source of the table.
bool Matches(std::string_view wanted, std::string_view source);

struct ClauseName {
  std::string standard;  // as the table calls it
  std::string clause;
  bool operator==(const ClauseName& other) const = default;
};

// ClausesIn reads the words of a step kind's description: "BR 6.1.1.1; EN 319
// 411-1 6.4.3, 6.5.2 (what for)". A standard that the table does not know is left out.
std::vector<ClauseName> ClausesIn(std::string_view words);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_CLAUSES_H_
