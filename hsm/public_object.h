// The public object of a key that a token did not make itself: the public half of a copy, and the key of another token
// that a transport key is wrapped under.
#ifndef HSM_PUBLIC_OBJECT_H_
#define HSM_PUBLIC_OBJECT_H_

#include <string>
#include <string_view>
#include <vector>

#include "hsm/base/public_key.h"
#include "hsm/session.h"

namespace hsm {

struct PublicObject {
  Object object;
  AttributeSet attributes;  // as read back
};

// MakePublicObject makes it with C_CreateObject, and reads it back. `stated` says all but the key itself, which is
// taken from `public_key`; `what` names the object in messages. kCorrupt: an attribute is not as stated (KEY-ATTR-..),
// or the object shows another key (`key_rule`); modules spell points and numbers in several ways, so that keys are
// compared and not their attributes. Once there is an object it is in `made`, whatever follows.
Result<PublicObject> MakePublicObject(Session& session, const base::PublicKey& public_key, Template stated,
                                      const std::string& what, std::string_view key_rule, std::vector<Object>& made);

}  // namespace hsm

#endif  // HSM_PUBLIC_OBJECT_H_
