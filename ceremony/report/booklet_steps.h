// The steps in the booklet: first at a glance, then a card for each, with what people say, type, approve and write
// down. What the program asks besides the script (the opening, the close and its signatures) has cards of its own.
#ifndef CEREMONY_REPORT_BOOKLET_STEPS_H_
#define CEREMONY_REPORT_BOOKLET_STEPS_H_

#include <string>

#include "ceremony/report/html.h"
#include "ceremony/script/inputs.h"
#include "ceremony/steps/plan.h"

namespace ceremony::report {

std::string Minutes(unsigned seconds);  // "45 s", "12 min"

void StepsAtAGlance(const steps::Plan& plan, Html& html);
void StepCards(const script::Inputs& inputs, const steps::Plan& plan, Html& html);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_BOOKLET_STEPS_H_
