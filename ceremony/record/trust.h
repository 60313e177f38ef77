// Trust is what an auditor brings: the custodians' keys, pinned from a roster
// file that did not come with the record. Without it the best verdict is
// UNPINNED: a record alone proves only that it agrees with itself.
//
// Roster (strict JSON, keyceremony-roster/1); members not named here are free:
//   {"format":"keyceremony-roster/1","estate":"smki.example",
//    "quorums":{"custodians":{"m":3,"role":"custodian"}},
//    "people":[{"id":"alice","roles":["custodian"],"sign_key":"<base64 DER SPKI>"}]}
// A person with a `state` other than "active" signs nothing.
#ifndef CEREMONY_RECORD_TRUST_H_
#define CEREMONY_RECORD_TRUST_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/note.h"
#include "hsm/base/result.h"

namespace ceremony::record {

// The quorum that witnesses records: first and last checkpoint and addendum.
inline constexpr std::string_view kWitnessQuorum = "custodians";

class Trust final {
 public:
  struct Quorum {
    std::size_t m = 0;
    std::vector<VerifierKey> keys;  // one for each active person with the role
  };

  // ParseRoster reads roster text; kInvalidInput with the JSON pointer for
  // anything but the form above, a person or key that occurs twice, a quorum
  // whose m is not in 1..people, or a roster without the witness quorum.
  static base::Result<Trust> ParseRoster(std::string_view text);
  // ReadRoster reads the file (at most 16 MiB) and parses it.
  static base::Result<Trust> ReadRoster(const std::string& path);

  const std::string& estate() const { return estate_; }
  // Find returns nullptr for a quorum that the roster does not have.
  const Quorum* Find(std::string_view quorum) const;
  const Quorum& witnesses() const { return *Find(kWitnessQuorum); }

 private:
  Trust() = default;
  std::string estate_;
  std::map<std::string, Quorum, std::less<>> quorums_;
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_TRUST_H_
