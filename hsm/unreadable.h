// Objects that a token lists and cannot read: what a cut within the token's own
// writes leaves behind.
#ifndef HSM_UNREADABLE_H_
#define HSM_UNREADABLE_H_

#include <string>

#include "hsm/inventory.h"

namespace hsm {

// SpeaksOfOneObject tells whether what a call on an object returned is about that
// object alone. Whatever is not about the session, the token, the module or the
// host is: modules differ in what they return for an object that is torn
// (SoftHSM: CKR_ATTRIBUTE_VALUE_INVALID), and one of those must not hide the rest.
bool SpeaksOfOneObject(CK_RV rv);

// ItemName is how messages and records speak of an object of an inventory:
// Object::Name, or "object that cannot be read (CKR_...)".
std::string ItemName(const InventoryItem& item);

}  // namespace hsm

#endif  // HSM_UNREADABLE_H_
