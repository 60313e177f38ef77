// KeyBook follows keys through the effects that steps leave in a log, from their
// making to their end, over all records of an archive: which copies there are, and
// that nothing is done with what is gone. It knows only what it has read: a key
// that was made before the first record is none of its business.
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

 private:
  struct Key {
    std::set<std::string> copies;  // places that hold one: tokens, and files for a transport key
    bool is_destroyed = false;
  };

  void Make(const std::string& name, const std::string& token, const std::string& spki, std::uint64_t entry,
            Findings& findings);
  void End(const std::string& name, std::uint64_t entry, Findings& findings);
  void AddCopy(const std::string& name, const std::string& place);
  // RemoveCopy tells whether there was one.
  bool RemoveCopy(const std::string& name, const std::string& place);
  // Clear removes every copy there.
  void Clear(const std::string& place);

  std::map<std::string, Key> keys_;
  std::map<std::string, std::set<std::string>> held_;  // names of the keys that have a copy in a place
  std::map<std::string, std::string> names_;           // by SHA-256 of the public key
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_KEY_BOOK_H_
