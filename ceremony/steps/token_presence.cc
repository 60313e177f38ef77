#include "ceremony/steps/token_presence.h"

namespace ceremony::steps {

std::vector<SectionTokens> PresenceMatrix(const script::Script& script, const Plan& plan) {
  std::vector<SectionTokens> matrix;
  std::size_t next = 0;
  for (const script::Section& section : script.sections) {
    SectionTokens row{section.title, {section.tokens.begin(), section.tokens.end()}};
    for (std::size_t i = 0; i < section.steps.size() && next < plan.steps.size(); ++i, ++next)
      row.tokens.insert(plan.steps[next].tokens.begin(), plan.steps[next].tokens.end());
    matrix.push_back(std::move(row));
  }
  return matrix;
}

}  // namespace ceremony::steps
