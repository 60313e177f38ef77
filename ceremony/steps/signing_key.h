// The key that signs in a step: its rules in `check`, and how the running step
// gets it. The token is opened last, after the quorum has approved.
#ifndef CEREMONY_STEPS_SIGNING_KEY_H_
#define CEREMONY_STEPS_SIGNING_KEY_H_

#include <string>
#include <string_view>

#include "ceremony/steps/plan.h"
#include "ceremony/steps/step_context.h"
#include "hsm/base/public_key.h"
#include "hsm/session.h"

namespace ceremony::steps {

// CheckSigningKey reports, about the named field of the step:
//   PLAN-KEY-02  no step before this one and no earlier ceremony made the key
//   PLAN-KEY-03  it has no copy on the token
//   PLAN-KEY-04  it is out of use, or its private half is elsewhere
// It returns the key; nullptr if no key could sign.
const estate::Key* CheckSigningKey(const std::string& key, const std::string& token, std::string_view field,
                                   PlanContext& plan);

// KnownPublicKey reads a key of the estate from the archive, without its token.
base::Result<base::PublicKey> KnownPublicKey(const std::string& key, StepContext& context);

// SigningKey is a key on an open token. The session is the context's.
struct SigningKey {
  hsm::Session* session = nullptr;
  hsm::KeyPair pair;
};

// OpenSigningKey opens the token, finds the key by the id of its copy, and checks
// that its public key is the one in the estate (KEY-SELECT-01).
// KEY-USE-01: it is out of use.
base::Result<SigningKey> OpenSigningKey(const std::string& key, const std::string& token, StepContext& context);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_SIGNING_KEY_H_
