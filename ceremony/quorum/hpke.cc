#include "ceremony/quorum/hpke.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string_view>

#include "ceremony/quorum/aes_gcm.h"
#include "ceremony/quorum/software_agreement_key.h"

namespace ceremony::quorum {
namespace {

using base::AsBytes;
using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::MakeError;
using base::SecretBytes;
using internal::Aead;

constexpr std::uint16_t kKem = 0x0010;
constexpr std::uint16_t kKdf = 0x0001;
constexpr std::size_t kHashBytes = 32;

std::size_t KeyBytes(Aead aead) { return aead == Aead::kAes128Gcm ? 16 : 32; }

std::array<std::uint8_t, 2> TwoBytes(std::uint16_t value) {
  return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value & 0xff)};
}

// Scratch holds every value on the way of one sealing or opening, and is wiped with it: one piece of locked memory
// instead of one for each of some forty values.
class Scratch final {
 public:
  // `info` is the only input whose size is not known here; it is joined once.
  explicit Scratch(ByteView info) : memory_(kFixed + info.size()) {}

  std::span<std::uint8_t> Take(std::size_t size) {
    if (size > memory_.size() - used_) std::abort();
    used_ += size;
    return memory_.writable().subspan(used_ - size, size);
  }
  ByteView Join(std::initializer_list<ByteView> parts) {
    std::size_t size = 0;
    for (const ByteView part : parts) size += part.size();
    const std::span<std::uint8_t> joined = Take(size);
    auto out = joined.begin();
    for (const ByteView part : parts) out = std::copy(part.begin(), part.end(), out);
    return joined;
  }
  ByteView Hmac(ByteView key, ByteView message) {
    // HMAC takes no null key, though an empty one is what RFC 5869 gives for no salt.
    static constexpr std::uint8_t kNothing = 0;
    const std::span<std::uint8_t> mac = Take(kHashBytes);
    unsigned size = kHashBytes;
    // A key of zeroes would follow from a failure that nobody looks at: it is remembered, and Schedule looks.
    if (HMAC(EVP_sha256(), key.empty() ? &kNothing : key.data(), static_cast<int>(key.size()), message.data(),
             message.size(), mac.data(), &size) == nullptr ||
        size != kHashBytes)
      failed_ = true;
    return mac;
  }
  bool failed() const { return failed_; }

 private:
  static constexpr std::size_t kFixed = 2048;  // what follows takes 1,200 bytes
  SecretBytes memory_;
  std::size_t used_ = 0;
  bool failed_ = false;
};

// RFC 9180 section 4: every use of HKDF is bound to a suite and a label.
class LabeledKdf final {
 public:
  LabeledKdf(Bytes suite, Scratch& scratch) : suite_(std::move(suite)), scratch_(scratch) {}

  ByteView Extract(ByteView salt, std::string_view label, ByteView input) const {
    return scratch_.Hmac(salt, scratch_.Join({AsBytes("HPKE-v1"), suite_, AsBytes(label), input}));
  }
  // One block of HKDF-Expand: at most 32 bytes, which is all that is ever asked for.
  ByteView Expand(ByteView key, std::string_view label, ByteView info, std::size_t size) const {
    constexpr std::uint8_t kFirstBlock[] = {1};
    const auto length = TwoBytes(static_cast<std::uint16_t>(size));
    return scratch_
        .Hmac(key, scratch_.Join(
                       {ByteView(length), AsBytes("HPKE-v1"), suite_, AsBytes(label), info, ByteView(kFirstBlock)}))
        .first(size);
  }

 private:
  Bytes suite_;
  Scratch& scratch_;
};

LabeledKdf KemKdf(Scratch& scratch) {
  Bytes suite = base::ToBytes(AsBytes("KEM"));
  for (const std::uint8_t byte : TwoBytes(kKem)) suite.push_back(byte);
  return LabeledKdf(std::move(suite), scratch);
}

LabeledKdf SuiteKdf(Aead aead, Scratch& scratch) {
  Bytes suite = base::ToBytes(AsBytes("HPKE"));
  for (const std::uint16_t id : {kKem, kKdf, static_cast<std::uint16_t>(aead)}) {
    for (const std::uint8_t byte : TwoBytes(id)) suite.push_back(byte);
  }
  return LabeledKdf(std::move(suite), scratch);
}

// ExtractAndExpand of section 4.1.
ByteView SharedSecret(Scratch& scratch, const SecretBytes& agreed, ByteView enc, ByteView recipient_point) {
  const LabeledKdf kdf = KemKdf(scratch);
  const ByteView extracted = kdf.Extract({}, "eae_prk", agreed.view());
  return kdf.Expand(extracted, "shared_secret", scratch.Join({enc, recipient_point}), kHashBytes);
}

// KeySchedule of section 5.1 in base mode: no pre-shared key. Every key comes out of here, or none does: kInternal
// when any derivation before or within it failed. Both parts are in the scratch.
base::Result<GcmKey> Schedule(Scratch& scratch, ByteView shared, ByteView info, Aead aead) {
  constexpr std::uint8_t kBaseMode[] = {0};
  const LabeledKdf kdf = SuiteKdf(aead, scratch);
  const ByteView psk_id_hash = kdf.Extract({}, "psk_id_hash", {});
  const ByteView info_hash = kdf.Extract({}, "info_hash", info);
  const ByteView context = scratch.Join({ByteView(kBaseMode), psk_id_hash, info_hash});
  const ByteView secret = kdf.Extract(shared, "secret", {});
  const GcmKey derived{kdf.Expand(secret, "key", context, KeyBytes(aead)),
                       kdf.Expand(secret, "base_nonce", context, kGcmNonceBytes)};
  if (scratch.failed()) return MakeError(ErrorCode::kInternal, "libcrypto could not compute HMAC-SHA-256");
  return derived;
}

}  // namespace

namespace internal {

base::Result<Sealed> SealFrom(AgreementKey& sender, const base::PublicKey& recipient, ByteView info, ByteView aad,
                              const SecretBytes& plaintext, Aead aead) {
  KC_ASSIGN_OR_RETURN(const SecretBytes agreed, sender.Agree(recipient));
  Sealed sealed;
  sealed.enc = sender.public_key().EcPoint();
  Scratch scratch(info);
  const ByteView shared = SharedSecret(scratch, agreed, sealed.enc, recipient.EcPoint());
  KC_ASSIGN_OR_RETURN(const GcmKey with, Schedule(scratch, shared, info, aead));
  sealed.ciphertext.resize(plaintext.size() + kGcmTagBytes);
  KC_RETURN_IF_ERROR(SealGcm(with, aad, plaintext.view(), sealed.ciphertext));
  return sealed;
}

base::Result<SecretBytes> Open(AgreementKey& key, const Sealed& sealed, ByteView info, ByteView aad, Aead aead) {
  // FromEcPoint takes an uncompressed point on the curve and nothing else (section 7.1.4).
  auto sender = base::PublicKey::FromEcPoint(base::Curve::kP256, sealed.enc);
  if (!sender.ok()) return std::move(sender).error().Prefixed("the sender's key of a sealed message");
  if (sealed.ciphertext.size() < kGcmTagBytes)
    return MakeError(ErrorCode::kCorrupt, "what was sealed is shorter than its tag");
  KC_ASSIGN_OR_RETURN(const SecretBytes agreed, key.Agree(*sender));
  Scratch scratch(info);
  const ByteView shared = SharedSecret(scratch, agreed, sealed.enc, key.public_key().EcPoint());
  KC_ASSIGN_OR_RETURN(const GcmKey with, Schedule(scratch, shared, info, aead));
  SecretBytes plaintext(sealed.ciphertext.size() - kGcmTagBytes);
  KC_RETURN_IF_ERROR(OpenGcm(with, aad, sealed.ciphertext, plaintext.writable()));
  return plaintext;
}

}  // namespace internal

base::Result<Sealed> HpkeSeal(const base::PublicKey& recipient, ByteView info, ByteView aad,
                              const SecretBytes& plaintext) {
  KC_ASSIGN_OR_RETURN(const auto sender, SoftwareAgreementKey::Generate());
  return internal::SealFrom(*sender, recipient, info, aad, plaintext, Aead::kAes256Gcm);
}

base::Result<SecretBytes> HpkeOpen(AgreementKey& key, const Sealed& sealed, ByteView info, ByteView aad) {
  return internal::Open(key, sealed, info, aad, Aead::kAes256Gcm);
}

}  // namespace ceremony::quorum
