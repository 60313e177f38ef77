// Inventory: every object that a session can see, as it is at one moment.
//
// It is how a crash is settled and how strangers are found: half-written
// objects, without class or id, are in it like any other.
#ifndef HSM_INVENTORY_H_
#define HSM_INVENTORY_H_

#include <string>
#include <vector>

#include "hsm/object.h"
#include "hsm/session.h"

namespace hsm {

// InventoryItem is one object. `line` is its canonical text.
struct InventoryItem {
  Object object;
  AttributeSet attributes;
  std::string spki_sha256;  // of a public key, or of a private one that shows its public half; or empty
  std::string problem;      // "CKR_OBJECT_HANDLE_INVALID": it could not be read; or empty
  std::string line;
};

// Inventory lists items in ascending order of their lines, so that it does not
// depend on handles or on the token's order.
//
// Canonical text, of which `sha256` is the digest: the line
// "keyceremony-inventory 1", a line with the token's label and serial, then one line an
// object; LF after each. An object's line is its attributes in ascending order
// of type, "NAME=value" with a single space between, values as DescribeValue
// spells them but text always quoted ("\"", "\\" and bytes outside 0x20..0x7e as \xNN);
// a value longer than 64 bytes is "sha256:" with its digest in hex; absent
// attributes are left out, "(sensitive)" and "(unreadable)" stand for values
// that are kept or broken; " spki=" with the SHA-256 of the
// SubjectPublicKeyInfo ends the line of a key with a known public half,
// " problem=" with the return value that of an object that could not be read.
struct Inventory {
  std::string token_label;
  std::string token_serial;
  std::vector<InventoryItem> items;
  std::string sha256;  // lowercase hex

  std::string Text() const;
};

// TakeInventory reads everything visible in this session: private objects only
// when the user is logged in. An object that vanishes or fails while it is read
// becomes an item with a problem; an error is a search that failed as a whole.
Result<Inventory> TakeInventory(Session& session);

// ObjectChange is an object of which attributes differ between two inventories.
struct ObjectChange {
  InventoryItem before;
  InventoryItem after;
  Description differences;  // {"CKA_EXTRACTABLE", "true -> false"}
};

// InventoryDifference is what happened to a token between two inventories.
// Objects that are alike in all are matched one to one (two equal objects are
// two); of the rest, an object before and one after are the same, changed, when
// class, CKA_ID, label and public key do not contradict each other and at least id or
// public key agrees; if there is a choice the fewest differences win.
struct InventoryDifference {
  std::vector<InventoryItem> appeared;
  std::vector<InventoryItem> vanished;
  std::vector<ObjectChange> changed;
  bool empty() const { return appeared.empty() && vanished.empty() && changed.empty(); }
};
InventoryDifference Diff(const Inventory& before, const Inventory& after);

}  // namespace hsm

#endif  // HSM_INVENTORY_H_
