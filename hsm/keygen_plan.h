// What key generation plans, shared by its two source files.
#ifndef HSM_KEYGEN_PLAN_H_
#define HSM_KEYGEN_PLAN_H_

#include "hsm/key_pair_mechanism.h"
#include "hsm/keygen.h"

namespace hsm {

// The full templates state every attribute; ForModule leaves out what the
// module refuses. All of the full template is read back.
Template FullPublicTemplate(const KeyPairSpec& spec, const Quirks& quirks);
Template FullPrivateTemplate(const KeyPairSpec& spec);
Template FullWrapKeyTemplate(const WrapKeySpec& spec);
Template ForModule(Template attributes, const Quirks& quirks);

// AddedByToken is what a token must report of a private or secret key that it generated, beyond the template.
Template AddedByToken(Extractable extractable, CK_MECHANISM_TYPE mechanism);

// CheckKeyPairSpec refuses a plan that is sent to no token: KEY-GEN-01, KEY-GEN-02.
Result<void> CheckKeyPairSpec(const KeyPairSpec& spec);

// FindLeftBehind lists the objects with this id after a call that failed. Objects that lost their id are missing; only
// a whole inventory finds those.
std::vector<Object> FindLeftBehind(Session& session, const Bytes& id);
// NamesOf joins the objects' names with "and".
std::string NamesOf(const std::vector<Object>& objects);

}  // namespace hsm

#endif  // HSM_KEYGEN_PLAN_H_
