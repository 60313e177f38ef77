#include "hsm/base/public_key.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <vector>

#include "hsm/base/big_endian.h"
#include "hsm/base/digest.h"
#include "hsm/base/key_checks.h"
#include "hsm/base/libcrypto.h"
#include "hsm/base/rsa_numbers.h"
#include "hsm/base/rsa_scheme.h"
#include "hsm/base/rsa_spki.h"

namespace base {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array<KeyAlgorithmFacts, 7> kAlgorithms = {{
    {KeyAlgorithm::kEcP256, KeyFamily::kEc, "ec-p256", "EC P-256", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"sv, 256,
     32, Curve::kP256, DigestAlgorithm::kSha256},
    {KeyAlgorithm::kEcP384, KeyFamily::kEc, "ec-p384", "EC P-384", "\x06\x05\x2b\x81\x04\x00\x22"sv, 384, 48,
     Curve::kP384, DigestAlgorithm::kSha384},
    {KeyAlgorithm::kEcP521, KeyFamily::kEc, "ec-p521", "EC P-521", "\x06\x05\x2b\x81\x04\x00\x23"sv, 521, 66,
     Curve::kP521, DigestAlgorithm::kSha512},
    {KeyAlgorithm::kEd25519, KeyFamily::kEdwards, "ed25519", "Ed25519", "\x06\x03\x2b\x65\x70"sv, 255, 32, {}, {}},
    {KeyAlgorithm::kRsa2048, KeyFamily::kRsa, "rsa-2048", "RSA 2048", {}, 2048, 0, {}, {}},
    {KeyAlgorithm::kRsa3072, KeyFamily::kRsa, "rsa-3072", "RSA 3072", {}, 3072, 0, {}, {}},
    {KeyAlgorithm::kRsa4096, KeyFamily::kRsa, "rsa-4096", "RSA 4096", {}, 4096, 0, {}, {}},
}};

// The bytes of a SubjectPublicKeyInfo before the key itself. DER leaves no choice
// in them, so comparing them is the strict parse.
constexpr std::string_view kP256Prefix =
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00"sv;
constexpr std::string_view kP384Prefix =
    "\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00"sv;
constexpr std::string_view kP521Prefix =
    "\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23\x03\x81\x86\x00"sv;
constexpr std::string_view kEd25519Prefix = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"sv;

struct CurveFacts {
  KeyAlgorithm algorithm;
  const char* group;
  std::string_view prefix;
};
constexpr std::array<CurveFacts, 3> kCurves = {{
    {KeyAlgorithm::kEcP256, "P-256", kP256Prefix},
    {KeyAlgorithm::kEcP384, "P-384", kP384Prefix},
    {KeyAlgorithm::kEcP521, "P-521", kP521Prefix},
}};
const CurveFacts& FactsOfCurve(Curve curve) { return kCurves[static_cast<std::size_t>(curve)]; }
bool IsRsa(KeyAlgorithm algorithm) { return FactsOf(algorithm).family == KeyFamily::kRsa; }

const EVP_MD* MdOf(DigestAlgorithm digest) {
  switch (digest) {
    case DigestAlgorithm::kSha1:
      return EVP_sha1();
    case DigestAlgorithm::kSha256:
      return EVP_sha256();
    case DigestAlgorithm::kSha384:
      return EVP_sha384();
    case DigestAlgorithm::kSha512:
      break;
  }
  return EVP_sha512();
}

bool StartsWith(ByteView bytes, std::string_view prefix) { return AsText(bytes).starts_with(prefix); }
Bytes Join(std::string_view prefix, ByteView rest) {
  Bytes out = ToBytes(AsBytes(prefix));
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

}  // namespace

std::span<const KeyAlgorithmFacts> KeyAlgorithms() { return kAlgorithms; }
const KeyAlgorithmFacts& FactsOf(KeyAlgorithm algorithm) { return kAlgorithms[static_cast<std::size_t>(algorithm)]; }
const KeyAlgorithmFacts* FindKeyAlgorithm(std::string_view name) {
  const auto row = std::find_if(kAlgorithms.begin(), kAlgorithms.end(),
                                [&](const KeyAlgorithmFacts& facts) { return facts.name == name; });
  return row == kAlgorithms.end() ? nullptr : &*row;
}

// How many good signatures a key remembers: those of a short log, with room to spare.
constexpr std::size_t kRemembered = 64;

struct PublicKey::State {
  State(KeyAlgorithm key_algorithm, Bytes der) : algorithm(key_algorithm), spki(std::move(der)) {}

  const KeyAlgorithm algorithm;
  const Bytes spki;

  // Key makes the libcrypto key at the first verification (25 us) and keeps it: many
  // keys are only compared. nullptr when libcrypto refuses it.
  EVP_PKEY* Key() const {
    std::call_once(once_, [this] { key_ = MakeKey(); });
    return key_.get();
  }

  // Verified is all that a verdict depends on, besides the key.
  struct Verified {
    SignatureScheme scheme;
    Sha256Digest message;
    Bytes signature;
    bool operator==(const Verified& other) const = default;
  };
  void Remember(Verified verified) const {
    const std::lock_guard lock(mutex_);
    if (remembered_.size() < kRemembered) {
      remembered_.push_back(std::move(verified));
    } else {
      remembered_[oldest_] = std::move(verified);
      oldest_ = (oldest_ + 1) % kRemembered;
    }
  }
  bool Remembers(const Verified& asked) const {
    const std::lock_guard lock(mutex_);
    return std::ranges::find(remembered_, asked) != remembered_.end();
  }

  ByteView EcPointView() const {
    const std::optional<Curve> curve = FactsOf(algorithm).curve;
    return curve ? ByteView(spki).subspan(FactsOfCurve(*curve).prefix.size()) : ByteView();
  }

 private:
  KeyPointer MakeKey() const;
  mutable std::once_flag once_;
  mutable KeyPointer key_;
  mutable std::mutex mutex_;
  mutable std::vector<Verified> remembered_;
  mutable std::size_t oldest_ = 0;  // the next to be forgotten, once there are kRemembered
};

KeyPointer PublicKey::State::MakeKey() const {
  if (algorithm == KeyAlgorithm::kEd25519) {
    const ByteView raw = ByteView(spki).subspan(kEd25519Prefix.size());
    return KeyPointer(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw.data(), raw.size()));
  }
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder) return nullptr;
  BigNumber modulus, exponent;
  const char* type = "EC";
  if (const std::optional<Curve> curve = FactsOf(algorithm).curve) {
    const ByteView point = EcPointView();
    if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, FactsOfCurve(*curve).group, 0) !=
            1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
      return nullptr;
    }
  } else {
    type = "RSA";
    const RsaNumbers numbers = ReadRsaSpki(spki).value();  // it was checked when the key was made
    const Bytes& n = numbers.modulus;
    const Bytes& e = numbers.exponent;
    modulus.reset(BN_bin2bn(n.data(), static_cast<int>(n.size()), nullptr));
    exponent.reset(BN_bin2bn(e.data(), static_cast<int>(e.size()), nullptr));
    if (!modulus || !exponent || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
      return nullptr;
    }
  }
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return KeyPointer(key);
}

PublicKey::PublicKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Result<PublicKey> PublicKey::FromEcPoint(Curve curve, ByteView point) {
  const CurveFacts& facts = FactsOfCurve(curve);
  KC_RETURN_IF_ERROR(CheckEcPoint(facts.algorithm, point));
  return PublicKey(std::make_shared<const State>(facts.algorithm, Join(facts.prefix, point)));
}

Result<PublicKey> PublicKey::FromEd25519(ByteView raw) {
  KC_RETURN_IF_ERROR(CheckEd25519(raw));
  return PublicKey(std::make_shared<const State>(KeyAlgorithm::kEd25519, Join(kEd25519Prefix, raw)));
}

Result<PublicKey> PublicKey::FromRsa(ByteView modulus, ByteView exponent) {
  const ByteView n = StripZeros(modulus);
  const ByteView e = StripZeros(exponent);
  KC_ASSIGN_OR_RETURN(const KeyAlgorithm algorithm, CheckRsa(n, e));
  return PublicKey(std::make_shared<const State>(algorithm, RsaSpki(n, e)));
}

Result<PublicKey> PublicKey::FromSpki(ByteView der) {
  for (std::size_t i = 0; i < kCurves.size(); ++i) {
    if (StartsWith(der, kCurves[i].prefix)) {
      return FromEcPoint(static_cast<Curve>(i), der.subspan(kCurves[i].prefix.size()));
    }
  }
  if (StartsWith(der, kEd25519Prefix)) return FromEd25519(der.subspan(kEd25519Prefix.size()));
  KC_ASSIGN_OR_RETURN(const RsaNumbers numbers, ReadRsaSpki(der));
  KC_ASSIGN_OR_RETURN(PublicKey key, FromRsa(numbers.modulus, numbers.exponent));
  if (!std::ranges::equal(key.spki(), der)) return InvalidKey("the RSA SubjectPublicKeyInfo is not strict DER");
  return key;
}

KeyAlgorithm PublicKey::algorithm() const { return state_->algorithm; }
ByteView PublicKey::spki() const { return state_->spki; }
std::string PublicKey::SpkiSha256Hex() const { return Sha256Hex(state_->spki); }
Bytes PublicKey::EcPoint() const { return ToBytes(state_->EcPointView()); }
RsaNumbers RsaNumbersOf(const PublicKey& key) {
  return IsRsa(key.algorithm()) ? ReadRsaSpki(key.spki()).value() : RsaNumbers();
}

bool PublicKey::operator==(const PublicKey& other) const {
  return state_ == other.state_ || state_->spki == other.state_->spki;
}

Result<void> PublicKey::Verify(SignatureScheme scheme, ByteView message, ByteView signature) const {
  const KeyAlgorithmFacts& facts = FactsOf(state_->algorithm);
  const RsaSchemeFacts* const rsa = FindRsaScheme(scheme);
  const bool fits = rsa != nullptr                      ? IsRsa(state_->algorithm)
                    : scheme == SignatureScheme::kEcdsa ? facts.family == KeyFamily::kEc
                                                        : facts.family == KeyFamily::kEdwards;
  if (!fits) return InvalidKey("the signature scheme does not go with an " + std::string(facts.title) + " key");
  if (facts.curve) KC_RETURN_IF_ERROR(CheckStrictDer(*facts.curve, signature));
  State::Verified asked{scheme, Sha256Of(message), ToBytes(signature)};
  if (state_->Remembers(asked)) return {};
  const ErrorMark mark;
  EVP_PKEY* const key = state_->Key();
  if (key == nullptr) return LibraryFailed("EVP_PKEY_fromdata");

  int verdict = -1;
  if (scheme == SignatureScheme::kEd25519) {
    const MdContext context(EVP_MD_CTX_new());
    if (!context || EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) != 1) {
      return LibraryFailed("EVP_DigestVerifyInit");
    }
    verdict = EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size());
  } else {
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    if (!context || EVP_PKEY_verify_init(context.get()) != 1) return LibraryFailed("EVP_PKEY_verify_init");
    DigestAlgorithm digest = facts.ecdsa_digest;
    if (rsa != nullptr) {
      digest = rsa->digest;
      const bool pss = rsa->padding == RsaPadding::kPss;
      const EVP_MD* md = MdOf(digest);
      // The salt is as long as the digest, neither shorter nor longer (RFC 4055 section 3.1).
      if (EVP_PKEY_CTX_set_rsa_padding(context.get(), pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) <= 0 ||
          EVP_PKEY_CTX_set_signature_md(context.get(), md) <= 0 ||
          (pss && (EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), md) <= 0 ||
                   EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) <= 0))) {
        return LibraryFailed("EVP_PKEY_CTX_set_rsa_padding");
      }
    }
    const Bytes hash = DigestOf(digest, message);
    verdict = EVP_PKEY_verify(context.get(), signature.data(), signature.size(), hash.data(), hash.size());
  }
  // Below zero libcrypto has not come to a verdict, and the signature may be a good one.
  if (verdict < 0) return LibraryFailed(scheme == SignatureScheme::kEd25519 ? "EVP_DigestVerify" : "EVP_PKEY_verify");
  if (verdict != 1) {
    return MakeError(ErrorCode::kCorrupt, "the signature does not verify under the " + std::string(facts.title) +
                                              " key with SPKI SHA-256 " + SpkiSha256Hex());
  }
  state_->Remember(std::move(asked));
  return {};
}

}  // namespace base
