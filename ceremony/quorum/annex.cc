#include "ceremony/quorum/annex.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>

#include "ceremony/quorum/aes_gcm.h"
#include "ceremony/quorum/hpke.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/scanner.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/random.h"

namespace ceremony::quorum {
namespace {

using base::Bytes;
using base::ByteView;
using base::Result;
using base::SecretBytes;

constexpr std::string_view kFormat = "keyceremony-annex/1";
constexpr std::size_t kKeyBytes = 32;
constexpr std::array<std::uint8_t, kGcmNonceBytes> kNonce{};

std::string InfoOf(const std::string& origin) { return fmt::format("keyceremony annex 1 {}", origin); }

base::Error Refused(const std::string& why) {
  return base::Refusal("RED-ANNEX-02", "the annex does not open: " + why,
                       "ask for the annex that was made with this bundle, for your own key");
}

}  // namespace

Result<std::string> SealAnnex(const std::string& origin, ByteView archive, const base::PublicKey& recipient) {
  if (archive.size() > record::kMaxArchiveBytes) {
    return base::Refusal("RED-ANNEX-03",
                         fmt::format("what is withheld has {} bytes, an annex holds {} at most", archive.size(),
                                     record::kMaxArchiveBytes),
                         "withhold less, or hand the record over whole");
  }
  SecretBytes key(kKeyBytes);
  base::FillRandom(key.writable());
  const std::string info = InfoOf(origin);
  KC_ASSIGN_OR_RETURN(const Sealed sealed, HpkeSeal(recipient, base::AsBytes(info), {}, key));
  const nlohmann::json line{{"enc", base::Base64Encode(sealed.enc)},
                            {"format", kFormat},
                            {"key", base::Base64Encode(sealed.ciphertext)},
                            {"origin", origin},
                            {"recipient", base::Sha256Hex(recipient.spki())}};
  KC_ASSIGN_OR_RETURN(const std::string head, record::CanonicaliseValue(line));
  std::string annex = head + "\n";
  const std::size_t begin = annex.size();
  annex.resize(begin + archive.size() + kGcmTagBytes);
  const std::span<std::uint8_t> out(reinterpret_cast<std::uint8_t*>(annex.data()) + begin, annex.size() - begin);
  KC_RETURN_IF_ERROR(SealGcm({key.view(), kNonce}, base::AsBytes(head), archive, out));
  return annex;
}

Result<Bytes> OpenAnnex(const std::string& annex, const std::string& origin, AgreementKey& key) {
  const std::size_t end = annex.find('\n');
  if (end == std::string::npos || annex.size() - end - 1 < kGcmTagBytes || annex.size() > kMaxAnnexBytes) {
    return Refused("it has not the form of one");
  }
  const std::string head = annex.substr(0, end);
  record::Scanner scanner;
  if (scanner.ScanObject(head) != record::LineFault::kNone || scanner.members().size() != 5 ||
      record::DecodeString(scanner.Find("format")) != kFormat) {
    return Refused("it has not the form of one");
  }
  if (record::DecodeString(scanner.Find("origin")) != origin) return Refused("it is of another record");
  if (record::DecodeString(scanner.Find("recipient")) != base::Sha256Hex(key.public_key().spki())) {
    return Refused("it is sealed to another key than yours");
  }
  const Result<Bytes> enc = base::Base64Decode(record::DecodeString(scanner.Find("enc")).value_or(""));
  const Result<Bytes> sealed_key = base::Base64Decode(record::DecodeString(scanner.Find("key")).value_or(""));
  if (!enc.ok() || !sealed_key.ok()) return Refused("it has not the form of one");
  const std::string info = InfoOf(origin);
  const Result<SecretBytes> opened = HpkeOpen(key, {*enc, *sealed_key}, base::AsBytes(info), {});
  if (!opened.ok() && opened.error().code != base::ErrorCode::kCorrupt &&
      opened.error().code != base::ErrorCode::kInvalidInput) {
    return opened.error();
  }
  if (!opened.ok() || opened->size() != kKeyBytes) return Refused("it was changed");
  const ByteView sealed = base::AsBytes(std::string_view(annex).substr(end + 1));
  Bytes archive(sealed.size() - kGcmTagBytes);
  const Result<void> whole = OpenGcm({opened->view(), kNonce}, base::AsBytes(head), sealed, archive);
  if (!whole.ok() && whole.error().code == base::ErrorCode::kCorrupt) return Refused("it was changed");
  if (!whole.ok()) return whole.error();
  return archive;
}

}  // namespace ceremony::quorum
