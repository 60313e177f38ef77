// A share of a token's PINs: sealed to its holder, opened by the holder's key,
// and judged by what the record says of it. docs/quorum.md has the construction.
#ifndef CEREMONY_QUORUM_SHARE_H_
#define CEREMONY_QUORUM_SHARE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "ceremony/estate/estate.h"
#include "ceremony/quorum/agreement_key.h"
#include "ceremony/quorum/shamir.h"
#include "ceremony/script/share_file.h"
#include "hsm/base/result.h"

namespace ceremony::quorum {

enum class Pin : std::uint8_t { kUser, kSecurityOfficer };
// PinName returns "user" or "security-officer", as entries spell it; PinTitle
// "user PIN" or "security officer PIN".
std::string_view PinName(Pin pin);
std::string_view PinTitle(Pin pin);

// SealShare seals one share of one PIN. Everything in `file` except the two
// halves is bound into the commitment and into the seal: if any of it is
// changed, the share does not open. kInvalidInput when the holder's key is not
// P-256.
base::Result<script::SealedHalf> SealShare(const script::ShareFile& file, Pin pin, const ShamirShare& share,
                                           const base::PublicKey& open_key);

// OpenShare opens it with the holder's key. kRefused:
//   SHARE-KEY-01   it was sealed to another key than this one
//   SHARE-SEAL-01  it does not open: a byte of it was changed
//   SHARE-SEAL-02  it opens to something that its own commitment does not fit
base::Result<ShamirShare> OpenShare(const script::ShareFile& file, Pin pin, AgreementKey& key);

// The two halves of OpenShare, for a share that travels before it is used.
// OpenSalted opens the seal, checks the commitment, and returns salt and share.
// TakeSalted checks the commitment of what came from elsewhere, and returns the
// share alone. Errors as above; TakeSalted has only SHARE-SEAL-02.
base::Result<base::SecretBytes> OpenSalted(const script::ShareFile& file, Pin pin, AgreementKey& key);
base::Result<ShamirShare> TakeSalted(const script::ShareFile& file, Pin pin, const base::SecretBytes& salted);

// HalfOf is the sealed half of a share file that belongs to a PIN.
const script::SealedHalf& HalfOf(const script::ShareFile& file, Pin pin);

// CheckShare holds a share file that `person` gave against the set that opens
// the token now. kRefused, each with what was found and what was expected:
//   SHARE-ESTATE-01  of another estate
//   SHARE-TOKEN-01   of another token
//   SHARE-SET-01     of an older set: reshared since
//   SHARE-SET-02     of a set that the estate does not know
//   SHARE-SET-03     it says another m, n, quorum or generation of the set than the archive
//   SHARE-HOLDER-01  it is somebody else's
//   SHARE-HOLDER-02  the person holds none of this set
//   SHARE-COMMIT-01  its commitment is not the one in the record
base::Result<void> CheckShare(const script::ShareFile& file, const std::string& estate,
                              const estate::ShareSet& expected, const std::string& person);

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_SHARE_H_
