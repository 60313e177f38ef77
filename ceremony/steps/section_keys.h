// What a section asks of tokens and keys before it begins and before it closes (R16).
#ifndef CEREMONY_STEPS_SECTION_KEYS_H_
#define CEREMONY_STEPS_SECTION_KEYS_H_

#include "ceremony/script/script.h"
#include "ceremony/steps/plan.h"
#include "ceremony/steps/step_context.h"

namespace ceremony::steps {

// CheckSectionKeys reports PLAN-PRESENCE-01 if a key is missing on a token at the end of the
// section. The plan's estate is the one after the section.
void CheckSectionKeys(const script::Inputs& inputs, const script::Section& section, Plan& plan);

// HaveSectionTokens finds the section's tokens, except those that it takes into service, and
// records that they are there. SECTION-TOKEN-01: one does not answer.
base::Result<void> HaveSectionTokens(const script::Section& section, StepContext& context);

// ProveSectionKeys looks on each token for each key that must be on it, by its public key, and
// records the result. SECTION-KEY-01: a key is missing, and the section does not close.
base::Result<void> ProveSectionKeys(const script::Section& section, StepContext& context);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_SECTION_KEYS_H_
