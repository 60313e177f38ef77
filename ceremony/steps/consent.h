// Consent to a grave act, by a word that somebody types.
#ifndef CEREMONY_STEPS_CONSENT_H_
#define CEREMONY_STEPS_CONSENT_H_

#include <string>

#include "ceremony/steps/step_context.h"

namespace ceremony::steps {

// AskConsent asks who holds the role whether `question.text` holds; the answer is the exact word
// `question.expected`. An `observe` entry `confirmation` says who typed it, in which role, and to what.
base::Result<void> AskConsent(StepContext& context, const std::string& role, room::Question question);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_CONSENT_H_
