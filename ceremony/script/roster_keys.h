// RosterKeys checks the public keys of people as they stand in a file.
#ifndef CEREMONY_SCRIPT_ROSTER_KEYS_H_
#define CEREMONY_SCRIPT_ROSTER_KEYS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/fields.h"
#include "ceremony/script/strict_json.h"
#include "hsm/base/public_key.h"

namespace ceremony::script {

// Key types of a person's two keys.
const std::vector<base::KeyAlgorithm>& SignKeyAlgorithms();  // EC P-256, Ed25519
const std::vector<base::KeyAlgorithm>& OpenKeyAlgorithms();  // EC P-256

// RosterKeys also finds a public key that stands twice in one file: one key for
// two people would let one of them be counted as two, and a key that both signs
// and opens would be used for two things.
class RosterKeys final {
 public:
  // Both must outlive this.
  RosterKeys(const Document& document, Problems& problems) : document_(document), problems_(problems) {}

  // Check looks at one member of a person; one that is absent is fine.
  void Check(const Node& person, std::string_view member, const std::vector<base::KeyAlgorithm>& allowed);

 private:
  const Document& document_;
  Problems& problems_;
  std::map<std::string, std::string> seen_;  // key -> pointer of its first place
};

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_ROSTER_KEYS_H_
