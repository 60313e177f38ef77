// KeyQuirks is what is peculiar to a module in the keys that it holds: the part of
// the table of quirks (quirks.h) that nobody needs to work with a token, but who
// compares what two modules say of one key.
#ifndef HSM_KEY_QUIRKS_H_
#define HSM_KEY_QUIRKS_H_

#include <span>

#include "hsm/quirks.h"

namespace hsm {

struct KeyQuirks {
  // Attributes of PKCS#11 that no object of the module has.
  std::span<const CK_ATTRIBUTE_TYPE> missing_attributes{};
  // What C_UnwrapKey sets as it likes, whatever its template says: it is repaired
  // after it, by a call that other modules do not need.
  std::span<const CK_ATTRIBUTE_TYPE> ignored_on_unwrap{};
  // What C_GetAttributeValue returns for an object that a cut has torn, besides what speaks of an object by itself.
  std::span<const CK_RV> torn_objects{};
};

// KeyQuirksOf returns that part of a row; empty for a well-behaved module.
KeyQuirks KeyQuirksOf(const Quirks& quirks);

}  // namespace hsm

#endif  // HSM_KEY_QUIRKS_H_
