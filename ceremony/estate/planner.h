// Lists of what is due, for planning programs: a calendar (RFC 5545) and a table
// (RFC 4180).
#ifndef CEREMONY_ESTATE_PLANNER_H_
#define CEREMONY_ESTATE_PLANNER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/estate/due.h"

namespace ceremony::estate {

// WriteCalendar writes the items as one VCALENDAR: whole-day events on the day they
// are due, or today if they are due now. Lines end with CRLF and are folded at 75
// octets. The UID of an item stays the same from day to day.
std::string WriteCalendar(const std::vector<DueItem>& due, std::string_view estate, std::int64_t now_micros);

// WriteTable writes them as comma-separated values with a heading: overdue, by, what, subject.
std::string WriteTable(const std::vector<DueItem>& due);

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_PLANNER_H_
