#include "ceremony/steps/show_comparison.h"

#include <nlohmann/json.hpp>

namespace ceremony::steps {

nlohmann::json ComparisonJson(const x509::Comparison& comparison) {
  nlohmann::json rows = nlohmann::json::array();
  for (const x509::ComparisonRow& row : comparison.rows()) {
    rows.push_back({{"field", row.field},
                    {"profile", row.profile_says},
                    {"certificate", row.certificate_has},
                    {"equal", row.equal}});
  }
  return rows;
}

void ShowComparison(const x509::Comparison& comparison, const std::string& profile, const std::string& found,
                    room::Terminal& terminal) {
  room::Comparison shown;
  shown.title = "Compared with profile " + profile + ", read by two decoders";
  shown.wanted_says = "profile says";
  shown.found_says = found;
  for (const x509::ComparisonRow& row : comparison.rows())
    shown.rows.push_back({row.field, row.profile_says, row.certificate_has, row.equal});
  terminal.ShowComparison(shown);
}

}  // namespace ceremony::steps
