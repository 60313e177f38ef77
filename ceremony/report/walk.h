// A walk through a record on a terminal: step by step, in plain words, with the numbers
// of entries, so that readers can find the lines.
#ifndef CEREMONY_REPORT_WALK_H_
#define CEREMONY_REPORT_WALK_H_

#include <cstddef>
#include <string>

#include "ceremony/report/report_data.h"

namespace ceremony::report {

// The parts of a record to tell; everything when nothing is set.
struct WalkFilter {
  std::string step;         // one step, by its id, with its approvals and its remarks
  std::string person;       // what one person did: presence, approvals, remarks that name them
  bool exceptions = false;  // only departures from the script: failures, skips, refusals, deviations
};

// Walk returns lines of at most `width` columns, unless a word is longer, each with LF.
// Every text of the record is made visible first (room::Visible), so it cannot move the
// cursor. Numbers of entries are in brackets, from 0 as in the log.
std::string Walk(const ReportData& data, const WalkFilter& filter, std::size_t width);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_WALK_H_
