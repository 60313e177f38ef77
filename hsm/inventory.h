// Inventory: every object that a session can see, as it is at one moment.
//
// It serves to find out what a crash left behind, and objects that no record knows. Half-written objects, without class
// or id, are in it like any other.
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
  std::string value_sha256;  // of a certificate; or empty
  std::string spki_sha256;   // of a public key, or of a private one that shows its public half; or empty
  std::string problem;       // "CKR_OBJECT_HANDLE_INVALID": it could not be read; or empty
  std::string line;
};

// ItemName is how messages and records speak of an item: Object::Name, or
// "object that cannot be read (CKR_...)".
std::string ItemName(const InventoryItem& item);

// Inventory lists items in ascending order of their lines, so that it does not
// depend on handles or on the token's order.
//
// Canonical text, of which `sha256` is the digest; LF ends each line:
//   keyceremony-inventory 1
//   token label="<label>" serial="<serial>"
//   one line an object
// An object's line is its attributes in ascending order of type, NAME=value with
// one space between. Values are spelled by DescribeValue, but text is quoted
// (\" and \\ for quote and backslash, \xNN for bytes outside 0x20..0x7e), and a
// value longer than 64 bytes is "sha256:" with its digest in hex. Absent
// attributes are left out; "(sensitive)" and "(unreadable)" stand for values that
// are kept or broken. At the end of the line, where it applies: value= the SHA-256 of
// a certificate's CKA_VALUE, spki= that of the SubjectPublicKeyInfo of a key with
// a known public half, problem= the return value for an object that could not be read.
struct Inventory {
  std::string token_label;
  std::string token_serial;
  std::vector<InventoryItem> items;
  std::string sha256;  // lowercase hex

  std::string Text() const;
};

// TakeInventory reads everything visible in this session: private objects only
// when the user is logged in. An object that vanishes or fails while it is read becomes an item with a problem; an
// error means that the search failed as a whole, or that the token went.
Result<Inventory> TakeInventory(Session& session);

// ObjectChange is an object of which attributes differ between two inventories.
struct ObjectChange {
  InventoryItem before;
  InventoryItem after;
  Description differences;  // {"CKA_EXTRACTABLE", "true -> false"}
};

// InventoryDifference is what happened to a token between two inventories.
// Objects with equal lines are matched one to one (two equal objects are two).
// Of the rest, an object before and one after are one changed object when their classes agree or are unknown and they
// have the same public key. Where the public key of one is unknown, the same CKA_ID counts instead. If several match,
// the fewest differences win.
struct InventoryDifference {
  std::vector<InventoryItem> appeared;
  std::vector<InventoryItem> vanished;
  std::vector<ObjectChange> changed;
  bool empty() const { return appeared.empty() && vanished.empty() && changed.empty(); }
};
InventoryDifference Diff(const Inventory& before, const Inventory& after);

}  // namespace hsm

#endif  // HSM_INVENTORY_H_
