// The booklet is the script for the room, on paper: what is done, the words to
// say, who, a box to tick, initials and time, blanks for what is read from bags
// and seals, sheets for deviations. It comes from the same plan and the same
// descriptions of steps as everything else, and has the script's digest as words
// on each page, so that any copy can be held against any other.
#ifndef CEREMONY_REPORT_BOOKLET_H_
#define CEREMONY_REPORT_BOOKLET_H_

#include <string>

#include "ceremony/script/inputs.h"
#include "ceremony/steps/plan.h"

namespace ceremony::report {

// Booklet returns a whole page. A plan with a breach makes a booklet that says on every page that it cannot be run.
std::string Booklet(const script::Inputs& inputs, const steps::Plan& plan);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_BOOKLET_H_
