// Evidence that a key is not on a token any more, as far as PKCS#11 can give it.
#ifndef HSM_ABSENCE_H_
#define HSM_ABSENCE_H_

#include <string>
#include <vector>

#include "hsm/inventory.h"

namespace hsm {

// AbsentKey says how to recognise a key that must be gone.
struct AbsentKey {
  std::string label;
  Bytes id;                 // CKA_ID; empty: not looked for
  std::string spki_sha256;  // hex; empty: not looked for
};

// Absence lists the searches, in words for the record.
struct Absence {
  std::vector<std::vector<std::string>> searches;  // for each key, in order: "CKA_ID 01ab: no object"
  Inventory inventory;                             // everything that is on the token
  // Objects that show no public key, by name: unreadable ones, and private keys without a public half. Any of them
  // could be the key that must be gone: a search by public key cannot tell. Each such search says how many there are.
  std::vector<std::string> unidentified;
};

// ProveAbsent looks for each key by CKA_ID and by label among keys of both halves,
// and by its public key in the whole inventory. kCorrupt KEY-ABSENT-01 names an
// object that is there. It proves nothing unless the module was reinitialised before
// (Module::Reinitialise): a module may keep in memory what it has read.
Result<Absence> ProveAbsent(Session& session, const std::vector<AbsentKey>& keys);

// TryToSignWith asks the token to begin a signature with an object that was just
// destroyed in this session, and returns the refusal's name
// ("CKR_KEY_HANDLE_INVALID", "CKR_OBJECT_HANDLE_INVALID"). kCorrupt KEY-ABSENT-02: the token would sign. kToken:
// another answer, which proves nothing. The handle must be of this very session: in a later session the number may
// belong to another object.
Result<std::string> TryToSignWith(Session& session, const Object& destroyed, base::KeyAlgorithm algorithm);

}  // namespace hsm

#endif  // HSM_ABSENCE_H_
