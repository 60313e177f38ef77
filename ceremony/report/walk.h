// A walk through a record on a terminal: step by step, in plain words, each
// with the numbers of its entries, so that whoever doubts it finds the line.
#ifndef CEREMONY_REPORT_WALK_H_
#define CEREMONY_REPORT_WALK_H_

#include <cstddef>
#include <string>

#include "ceremony/report/report_data.h"

namespace ceremony::report {

// What of a record is told; all of it when nothing is set.
struct WalkFilter {
  std::string step;         // one step, by its id, with its approvals and its remarks
  std::string person;       // what one person did: presence, approvals, remarks that name them
  bool exceptions = false;  // only what did not go as the script has it: failures, skips, refusals, deviations
};

// Walk returns lines of at most `width` columns where words allow it, LF after each. Every
// text of the record is made visible first (room::Visible): what it holds cannot
// move the cursor. Entries stand in brackets, from 0 as in the log.
std::string Walk(const ReportData& data, const WalkFilter& filter, std::size_t width);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_WALK_H_
