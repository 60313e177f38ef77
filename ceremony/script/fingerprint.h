// The fingerprint of a public key, as people compare it: the SHA-256 of its DER
// SubjectPublicKeyInfo, in PGP words that are read aloud and in hexadecimal.
#ifndef CEREMONY_SCRIPT_FINGERPRINT_H_
#define CEREMONY_SCRIPT_FINGERPRINT_H_

#include <string>
#include <string_view>

#include "hsm/base/digest.h"
#include "hsm/base/result.h"

namespace ceremony::script {

struct Fingerprint {
  base::Sha256Digest digest{};

  std::string Hex() const;    // 64 lowercase digits
  std::string Words() const;  // all 32 words, one blank between two
  // ShortWords are the first eight words and "...": enough to tell keys apart in
  // a list, never enough to accept a key by.
  std::string ShortWords() const;
};

// FingerprintOf takes base64 of a DER SubjectPublicKeyInfo as a roster holds it;
// kInvalidInput for anything else.
base::Result<Fingerprint> FingerprintOf(std::string_view spki_base64);

// ShortWordsOf is for lists: the short words of a key, "none" for an empty text,
// "unreadable" for one that is no key.
std::string ShortWordsOf(std::string_view spki_base64);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_FINGERPRINT_H_
