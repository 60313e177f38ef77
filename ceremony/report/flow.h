// The ceremony as a diagram: step after step, where a quorum decides, which token is touched.
#ifndef CEREMONY_REPORT_FLOW_H_
#define CEREMONY_REPORT_FLOW_H_

#include "ceremony/report/html.h"
#include "ceremony/steps/plan.h"

namespace ceremony::report {

// FlowDiagram draws figures that are at most a page high.
void FlowDiagram(const steps::Plan& plan, Html& html);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_FLOW_H_
