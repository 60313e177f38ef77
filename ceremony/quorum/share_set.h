// A share set: both PINs of a token, split among the members of a quorum.
#ifndef CEREMONY_QUORUM_SHARE_SET_H_
#define CEREMONY_QUORUM_SHARE_SET_H_

#include <map>
#include <string>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/quorum/shamir.h"
#include "ceremony/quorum/share.h"
#include "ceremony/script/roster.h"
#include "ceremony/script/share_file.h"
#include "hsm/base/result.h"

namespace ceremony::quorum {

// SharesHeldBy lists who gets shares of a quorum: its members, in roster order.
// kRefused: SHARE-ROSTER-01 when one of them has no open_key.
base::Result<std::vector<const script::Person*>> SharesHeldBy(const script::Roster& roster,
                                                              const script::Quorum& quorum);

// ShareArtefact is the name of a share file below a record's artefacts/:
// "shares/<token>/<set>/<person>.share.json".
std::string ShareArtefact(const std::string& token, const std::string& set, const std::string& person);

struct NewShareSet {
  estate::ShareSet set;                  // holders with their commitments
  std::vector<script::ShareFile> files;  // in the order of the holders
  SplitProof proof;                      // of the user PIN; the other was proven the same way
};

// TokenPins are both PINs of a token, by reference.
struct TokenPins {
  const base::SecretBytes& user;
  const base::SecretBytes& security_officer;
};

// MakeShareSet splits both PINs for the members of `quorum`, proves the split
// (ProveSplit) and seals each share. The set's id is drawn at random.
base::Result<NewShareSet> MakeShareSet(const script::Roster& roster, const script::Quorum& quorum,
                                       const std::string& token, std::int64_t generation, const TokenPins& pins);

// PinAssembly takes shares of one PIN as their holders give them, and combines
// them once there are m. A share that was checked (CheckShare, OpenShare) is
// good; two of one holder are refused.
class PinAssembly final {
 public:
  PinAssembly(const estate::ShareSet& set, Pin pin) : set_(set), pin_(pin) {}

  // Add takes one in. SHARE-TWICE-01: this holder has given one already.
  base::Result<void> Add(const std::string& person, ShamirShare share);
  bool complete() const { return shares_.size() >= static_cast<std::size_t>(set_.m); }
  std::size_t missing() const { return complete() ? 0 : static_cast<std::size_t>(set_.m) - shares_.size(); }
  std::vector<std::string> people() const;
  // Combine returns the PIN. kNoQuorum QUORUM-SHARE-SHORT while fewer than m are
  // there; it names who could still give one.
  base::Result<base::SecretBytes> Combine() const;

 private:
  estate::ShareSet set_;
  Pin pin_;
  std::map<std::string, ShamirShare> shares_;
};

// SharesShort is the error when a token cannot be opened: how many shares are
// there, how many are needed, and who has not given one.
base::Error SharesShort(const estate::ShareSet& set, const std::vector<std::string>& given);

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_SHARE_SET_H_
