// A comparison with a profile, as people see it and as the record keeps it.
#ifndef CEREMONY_STEPS_SHOW_COMPARISON_H_
#define CEREMONY_STEPS_SHOW_COMPARISON_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "ceremony/room/terminal.h"
#include "ceremony/x509/compare.h"

namespace ceremony::steps {

// ComparisonJson is the list of rows of an `observe` entry.
nlohmann::json ComparisonJson(const x509::Comparison& comparison);

// ShowComparison shows it in one view; `found` heads the column of what was
// built ("certificate has").
void ShowComparison(const x509::Comparison& comparison, const std::string& profile, const std::string& found,
                    room::Terminal& terminal);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_SHOW_COMPARISON_H_
