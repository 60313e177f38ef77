// The booklet is the script for the room, on paper: for each step the action, the
// words to say, the people, a box to tick, initials and time; blanks for numbers of
// bags and seals; sheets for deviations. It is made from the same plan and
// descriptions of steps as everything else. Each page has the script's digest as words,
// so that any two copies can be compared.
#ifndef CEREMONY_REPORT_BOOKLET_H_
#define CEREMONY_REPORT_BOOKLET_H_

#include <string>

#include "ceremony/script/inputs.h"
#include "ceremony/steps/plan.h"

namespace ceremony::report {

// Booklet returns a whole page. If the plan has a breach, every page says that it cannot be run.
std::string Booklet(const script::Inputs& inputs, const steps::Plan& plan);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_BOOKLET_H_
