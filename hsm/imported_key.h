// Keys that come into a token, by unwrapping or derivation: called, read back,
// repaired. Shared by transport and wrap.
#ifndef HSM_IMPORTED_KEY_H_
#define HSM_IMPORTED_KEY_H_

#include <functional>
#include <string>
#include <vector>

#include "hsm/consequential.h"
#include "hsm/keygen.h"

namespace hsm {

struct ImportedKey {
  Object object;
  AttributeSet attributes;                       // as read back last
  std::vector<std::string> repaired;             // names of attributes that were set again
  std::vector<AttributeDifference> differences;  // what is still not as stated
};

// ImportKey makes `call` with `invoke` (given the native template and where the
// handle goes), reads every stated attribute back, with `also_read`, and sets SENSITIVE,
// EXTRACTABLE and permissions again where the module ignored them. A key that came in must not claim to be made on the
// token: LOCAL true is a difference, and so is ALWAYS_SENSITIVE or NEVER_EXTRACTABLE true, unless the key was derived.
// Once there is an object it is in `left_behind`, whatever follows.
Result<ImportedKey> ImportKey(Session& session, ConsequentialCall call, const Template& stated,
                              std::span<const CK_ATTRIBUTE_TYPE> also_read,
                              const std::function<CK_RV(std::span<CK_ATTRIBUTE>, CK_OBJECT_HANDLE*)>& invoke,
                              std::vector<Object>& left_behind);

// DifferencesError is kCorrupt with the rule of the first difference and all of them in words.
Error DifferencesError(const std::string& what, const std::vector<AttributeDifference>& differences);

// WrapOut makes a consequential C_WrapKey call; `problem` is told to the observer if the call succeeds; empty when it
// may.
struct WrapOutcome {
  CK_RV rv = CKR_OK;
  Bytes wrapped;
};
Result<WrapOutcome> WrapOut(Session& session, CK_MECHANISM mechanism, const std::string& mechanism_text,
                            const Object& wrapping_key, const Object& key, const std::string& problem);

// DestroyAll destroys what it can and keeps in `objects` what it cannot.
void DestroyAll(Session& session, std::vector<Object>& objects);

}  // namespace hsm

#endif  // HSM_IMPORTED_KEY_H_
