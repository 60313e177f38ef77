// Limits is what a module cannot do at all, so that it is refused before anybody is asked. It is the other half of a
// row of hsm/quirks, and stands in the same table.
#ifndef HSM_LIMITS_H_
#define HSM_LIMITS_H_

#include "hsm/quirks.h"

namespace hsm {

struct Limits {
  std::string_view name;  // the row's
  // C_GenerateKeyPair makes no key that may leave: CKA_EXTRACTABLE true is refused.
  bool no_extractable_keys = false;
  // Every key stays: CKA_TOKEN false is refused, so that nothing can be tried that leaves no trace.
  bool no_session_keys = false;
  // C_InitToken takes the token's present SO PIN and no other, which on a new token is that of its maker, and leaves
  // it to be changed: only the maker's tool does the whole of it. A token that was in use has no SO login after it
  // (openCryptoki 3.8: CKR_FUNCTION_FAILED), so that no user PIN can be set.
  bool factory_so_pin = false;
};

// LimitsOf returns those of a row; nothing is beyond a module that has none.
Limits LimitsOf(const Quirks& quirks);

}  // namespace hsm

#endif  // HSM_LIMITS_H_
