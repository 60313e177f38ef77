// What a custodian who signed elsewhere hands over, in whatever form it came:
// a signed note, a signature line, or what `openssl dgst -sha256 -sign` wrote.
#ifndef CEREMONY_QUORUM_HANDED_OVER_H_
#define CEREMONY_QUORUM_HANDED_OVER_H_

#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/note.h"
#include "hsm/base/result.h"

namespace ceremony::quorum {

// TakeHandedOver makes the signature line of `key` over `text` of what was
// handed over: the bytes of a file, or what was typed, pasted or scanned.
//
//   a signed note                       its text must be this one
//   "— name base64"                     also with "--" or nothing in place of the dash
//   base64 or the bytes themselves      of a DER signature (ECDSA) or of 64 bytes (Ed25519)
//
// An ECDSA signature with a high s is turned into its low-S twin, which is the
// same signature. Refusals: CRED-05 another person's, or by another key of the
// same person; CRED-06 another checkpoint; CRED-07 another origin; CRED-08 an older
// size. `earlier` holds the texts of older checkpoints of this record, so that a bare
// signature over one of them is recognised. kInvalidInput when it is not a signature.
base::Result<record::SignatureLine> TakeHandedOver(std::string_view given, const record::VerifierKey& key,
                                                   const std::string& text, const std::vector<std::string>& earlier);

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_HANDED_OVER_H_
