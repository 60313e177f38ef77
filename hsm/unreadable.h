// Objects that a token lists and cannot read: what a cut within the token's own
// writes leaves behind.
#ifndef HSM_UNREADABLE_H_
#define HSM_UNREADABLE_H_

#include <string>

#include "hsm/inventory.h"

namespace hsm {

// SpeaksOfOneObject tells whether what a call on an object returned is about that object alone, so that the others may
// be read all the same: an invalid handle, an attribute that is not what it must be, and what this module is known to
// say of an object that is torn (KeyQuirks::torn_objects). Anything else may be about the token, the session or the
// login, of which an inventory must not make an object.
bool SpeaksOfOneObject(const Quirks& quirks, CK_RV rv);

// ItemName is how messages and records speak of an object of an inventory:
// Object::Name, or "object that cannot be read (CKR_...)".
std::string ItemName(const InventoryItem& item);

}  // namespace hsm

#endif  // HSM_UNREADABLE_H_
