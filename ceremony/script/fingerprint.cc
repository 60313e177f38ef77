#include "ceremony/script/fingerprint.h"

#include <cstddef>
#include <vector>

#include "hsm/base/encoding.h"
#include "hsm/base/public_key.h"
#include "hsm/base/words.h"

namespace ceremony::script {
namespace {

constexpr std::size_t kShort = 8;

std::string Joined(const std::vector<std::string>& words, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count && i < words.size(); ++i) {
    if (i > 0) text += ' ';
    text += words[i];
  }
  return text;
}

}  // namespace

std::string Fingerprint::Hex() const { return base::HexEncode(digest); }

std::string Fingerprint::Words() const { return Joined(base::PgpWords(digest), digest.size()); }

std::string Fingerprint::ShortWords() const { return Joined(base::PgpWords(digest), kShort) + " ..."; }

base::Result<Fingerprint> FingerprintOf(std::string_view spki_base64) {
  KC_ASSIGN_OR_RETURN(const base::Bytes der, base::Base64Decode(spki_base64));
  KC_ASSIGN_OR_RETURN(const base::PublicKey key, base::PublicKey::FromSpki(der));
  return Fingerprint{base::Sha256Of(key.spki())};
}

std::string ShortWordsOf(std::string_view spki_base64) {
  if (spki_base64.empty()) return "none";
  const auto fingerprint = FingerprintOf(spki_base64);
  return fingerprint.ok() ? fingerprint->ShortWords() : "unreadable";
}

}  // namespace ceremony::script
