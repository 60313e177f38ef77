#include "ceremony/steps/consent.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace ceremony::steps {

base::Result<void> AskConsent(StepContext& context, const std::string& role, room::Question question) {
  question.kind = room::Question::Kind::kConsent;
  question.simulated = question.expected;
  KC_ASSIGN_OR_RETURN(const std::string typed, context.Ask(role, question));
  const auto present = context.attendance().WithRole(role);
  KC_RETURN_IF_ERROR(
      context.Record("observe", {{"what", "confirmation"},
                                 {"statement", question.text},
                                 {"typed", typed},
                                 {"role", role},
                                 {"person", present.empty() ? std::string() : present.front()->person}}));
  return {};
}

}  // namespace ceremony::steps
