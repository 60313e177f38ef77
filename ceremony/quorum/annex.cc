#include "ceremony/quorum/annex.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "ceremony/quorum/hpke.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/scanner.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/owned.h"
#include "hsm/base/random.h"

namespace ceremony::quorum {
namespace {

using base::Bytes;
using base::ByteView;
using base::Result;
using base::SecretBytes;

constexpr std::string_view kFormat = "keyceremony-annex/1";
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kTagBytes = 16;
constexpr std::array<std::uint8_t, 12> kNonce{};

using CipherContext = base::Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

std::string InfoOf(const std::string& origin) { return fmt::format("keyceremony annex 1 {}", origin); }

base::Error CipherFailed() { return base::MakeError(base::ErrorCode::kInternal, "libcrypto could not run AES-GCM"); }

base::Error Refused(const std::string& why) {
  return base::Refusal("RED-ANNEX-02", "the annex does not open: " + why,
                       "ask for the annex that was made with this bundle, for your own key");
}

}  // namespace

Result<std::string> SealAnnex(const std::string& origin, ByteView archive, const base::PublicKey& recipient) {
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
  annex.resize(begin + archive.size() + kTagBytes);
  auto* const out = reinterpret_cast<std::uint8_t*>(annex.data()) + begin;
  const CipherContext context(EVP_CIPHER_CTX_new());
  int size = 0;
  if (!context ||
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.view().data(), kNonce.data()) != 1 ||
      EVP_EncryptUpdate(context.get(), nullptr, &size, base::AsBytes(head).data(), static_cast<int>(head.size())) !=
          1 ||
      EVP_EncryptUpdate(context.get(), out, &size, archive.data(), static_cast<int>(archive.size())) != 1 ||
      EVP_EncryptFinal_ex(context.get(), out + size, &size) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, out + archive.size()) != 1) {
    return CipherFailed();
  }
  return annex;
}

Result<Bytes> OpenAnnex(const std::string& annex, const std::string& origin, AgreementKey& key) {
  const std::size_t end = annex.find('\n');
  if (end == std::string::npos || annex.size() - end - 1 < kTagBytes || annex.size() > kMaxAnnexBytes) {
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
  const std::size_t length = sealed.size() - kTagBytes;
  Bytes tag = base::ToBytes(sealed.subspan(length));
  Bytes archive(length + 1);  // never empty, so that there is an address
  const CipherContext context(EVP_CIPHER_CTX_new());
  int size = 0;
  if (!context ||
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, opened->view().data(), kNonce.data()) != 1 ||
      EVP_DecryptUpdate(context.get(), nullptr, &size, base::AsBytes(head).data(), static_cast<int>(head.size())) !=
          1 ||
      EVP_DecryptUpdate(context.get(), archive.data(), &size, sealed.data(), static_cast<int>(length)) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) != 1) {
    return CipherFailed();
  }
  if (EVP_DecryptFinal_ex(context.get(), archive.data() + size, &size) != 1) return Refused("it was changed");
  archive.resize(length);
  return archive;
}

}  // namespace ceremony::quorum
