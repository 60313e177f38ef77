// KeyBook follows keys through the effects of steps, from creation to destruction,
// over all records of an archive. It knows which copies exist, and reports the use of
// a key that is gone. It ignores keys that were made before the first record.
#ifndef CEREMONY_RECORD_KEY_BOOK_H_
#define CEREMONY_RECORD_KEY_BOOK_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "ceremony/record/findings.h"
#include "ceremony/record/scanner.h"

namespace ceremony::record {

class KeyBook final {
 public:
  // Take reads one object of the field `effects` of a step's end.
  void Take(const Scanner& effect, std::uint64_t entry, Findings& findings);

  // HoldsObject tells whether an object on a token is a copy of a key that is there. `object` names it as an entry
  // does: `private key "root" (id 01ab)`.
  bool HoldsObject(const std::string& token, const std::string& object) const;

 private:
  struct Key {
    std::set<std::string> copies;                   // places that hold one: tokens, and files for a transport key
    std::map<std::string, std::string> object_ids;  // CKA_ID in hex of its copy, by token
    bool is_destroyed = false;
  };

  void Make(const std::string& name, const std::string& token, const std::string& spki, std::uint64_t entry,
            Findings& findings);
  void End(const std::string& name, std::uint64_t entry, Findings& findings);
  void AddCopy(const std::string& name, const std::string& place);
  // RemoveCopy returns whether there was one.
  bool RemoveCopy(const std::string& name, const std::string& place);
  // Clear removes every copy at a place.
  void Clear(const std::string& place);

  std::map<std::string, Key> keys_;
  std::map<std::string, std::set<std::string>> held_;  // by place: names of the keys with a copy there
  std::map<std::string, std::string> names_;           // by SHA-256 of the public key
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_KEY_BOOK_H_
