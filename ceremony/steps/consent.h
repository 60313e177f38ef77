// Consent to a grave act, by a word that somebody types.
#ifndef CEREMONY_STEPS_CONSENT_H_
#define CEREMONY_STEPS_CONSENT_H_

#include <string>

#include "ceremony/steps/step_context.h"

namespace ceremony::steps {

// AskConsent asks a person with the role to consent to `question.text` by the exact word
// `question.expected`. An `observe` entry `confirmation` has the person, the role and the text.
base::Result<void> AskConsent(StepContext& context, const std::string& role, room::Question question);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_CONSENT_H_
