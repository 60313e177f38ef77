#include "hsm/base/public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "hsm/base/digest.h"
#include "hsm/base/rsa_numbers.h"
#include "hsm/base/rsa_scheme.h"

namespace base {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array<KeyAlgorithmFacts, 7> kAlgorithms = {{
    {KeyAlgorithm::kEcP256, "ec-p256", "EC P-256", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"sv, 256, 32},
    {KeyAlgorithm::kEcP384, "ec-p384", "EC P-384", "\x06\x05\x2b\x81\x04\x00\x22"sv, 384, 48},
    {KeyAlgorithm::kEcP521, "ec-p521", "EC P-521", "\x06\x05\x2b\x81\x04\x00\x23"sv, 521, 66},
    {KeyAlgorithm::kEd25519, "ed25519", "Ed25519", "\x06\x03\x2b\x65\x70"sv, 255, 32},
    {KeyAlgorithm::kRsa2048, "rsa-2048", "RSA 2048", {}, 2048, 0},
    {KeyAlgorithm::kRsa3072, "rsa-3072", "RSA 3072", {}, 3072, 0},
    {KeyAlgorithm::kRsa4096, "rsa-4096", "RSA 4096", {}, 4096, 0},
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
constexpr std::string_view kRsaAlgorithm = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"sv;

struct CurveFacts {
  KeyAlgorithm algorithm;
  int nid;
  const char* group;
  std::string_view prefix;
};
constexpr std::array<CurveFacts, 3> kCurves = {{
    {KeyAlgorithm::kEcP256, NID_X9_62_prime256v1, "P-256", kP256Prefix},
    {KeyAlgorithm::kEcP384, NID_secp384r1, "P-384", kP384Prefix},
    {KeyAlgorithm::kEcP521, NID_secp521r1, "P-521", kP521Prefix},
}};
const CurveFacts& FactsOfCurve(Curve curve) { return kCurves[static_cast<std::size_t>(curve)]; }
std::optional<Curve> CurveOf(KeyAlgorithm algorithm) {
  switch (algorithm) {
    case KeyAlgorithm::kEcP256:
      return Curve::kP256;
    case KeyAlgorithm::kEcP384:
      return Curve::kP384;
    case KeyAlgorithm::kEcP521:
      return Curve::kP521;
    default:
      return std::nullopt;
  }
}
bool IsRsa(KeyAlgorithm algorithm) { return FactsOf(algorithm).field_bytes == 0; }

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

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using KeyPointer = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using MdContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Freer<BN_free>>;
using BigContext = std::unique_ptr<BN_CTX, Freer<BN_CTX_free>>;
using Point = std::unique_ptr<EC_POINT, Freer<EC_POINT_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM_free>>;

Error Invalid(std::string message) { return MakeError(ErrorCode::kInvalidInput, "public key: " + std::move(message)); }
Error LibraryFailed(const char* what) {
  Error error = MakeError(ErrorCode::kInternal, "libcrypto could not do its part for a public key");
  error.call = what;
  return error;
}

bool StartsWith(ByteView bytes, std::string_view prefix) { return AsText(bytes).starts_with(prefix); }
ByteView StripZeros(ByteView bytes) {
  while (!bytes.empty() && bytes.front() == 0) bytes = bytes.subspan(1);
  return bytes;
}
Bytes Join(std::string_view prefix, ByteView rest) {
  Bytes out = ToBytes(AsBytes(prefix));
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

// A group never changes and is dear to make, so each is made at its first use and kept.
template <Curve kCurve>
const EC_GROUP* OneGroup() {
  static const EC_GROUP* const group = EC_GROUP_new_by_curve_name(FactsOfCurve(kCurve).nid);
  return group;
}
const EC_GROUP* GroupOf(Curve curve) {
  switch (curve) {
    case Curve::kP256:
      return OneGroup<Curve::kP256>();
    case Curve::kP384:
      return OneGroup<Curve::kP384>();
    case Curve::kP521:
      break;
  }
  return OneGroup<Curve::kP521>();
}

// A refusal of ours is in the Result; it leaves nothing on the thread's libcrypto error queue.
struct ErrorMark {
  ErrorMark() { ERR_set_mark(); }
  ~ErrorMark() { ERR_pop_to_mark(); }
  ErrorMark(const ErrorMark&) = delete;  // a mark is popped once
  ErrorMark& operator=(const ErrorMark&) = delete;
};

Result<void> CheckPoint(Curve curve, ByteView point) {
  const KeyAlgorithmFacts& facts = FactsOf(FactsOfCurve(curve).algorithm);
  const std::size_t expected = 1 + 2 * std::size_t{facts.field_bytes};
  if (point.size() != expected || point[0] != 0x04) {
    return Invalid(std::string(facts.title) + " point is not " + std::to_string(expected) +
                   " bytes in uncompressed form (04 || x || y)");
  }
  const ErrorMark mark;
  const EC_GROUP* group = GroupOf(curve);
  if (group == nullptr) return LibraryFailed("EC_GROUP_new_by_curve_name");
  const Point parsed(EC_POINT_new(group));
  if (!parsed) return LibraryFailed("EC_POINT_new");
  // EC_POINT_oct2point refuses coordinates above p and points off the curve.
  if (EC_POINT_oct2point(group, parsed.get(), point.data(), point.size(), nullptr) != 1) {
    return Invalid("the point is not on " + std::string(facts.title));
  }
  return {};
}

// RFC 8032 5.1.3 decoding, without keeping x. Points of small order are refused
// too: a signature under them says nothing about who made it.
Result<void> CheckEd25519(ByteView raw) {
  if (raw.size() != 32) return Invalid("Ed25519 key has " + std::to_string(raw.size()) + " bytes, expected 32");
  Bytes little = ToBytes(raw);
  little.back() &= 0x7f;
  const BigContext context(BN_CTX_new());
  const auto number = [] { return BigNumber(BN_new()); };
  const BigNumber p = number(), y = number(), y2 = number(), u = number(), v = number(), d = number(), t = number();
  if (!context || !p || !y || !y2 || !u || !v || !d || !t) return LibraryFailed("BN_new");
  const auto mod_mul = [&](BIGNUM* out, const BIGNUM* a, const BIGNUM* b) {
    return BN_mod_mul(out, a, b, p.get(), context.get()) == 1;
  };
  bool ok = BN_lebin2bn(little.data(), static_cast<int>(little.size()), y.get()) != nullptr;
  ok = ok && BN_set_bit(p.get(), 255) == 1 && BN_sub_word(p.get(), 19) == 1;
  if (!ok) return LibraryFailed("BN_sub_word");
  if (BN_cmp(y.get(), p.get()) >= 0) return Invalid("Ed25519 y coordinate is not below 2^255-19");
  // x^2 = (y^2 - 1) / (d y^2 + 1) with d = -121665/121666, so
  // x^2 = 121666 (y^2 - 1) / (121666 - 121665 y^2) = u / v.
  ok = mod_mul(y2.get(), y.get(), y.get()) && BN_copy(u.get(), y2.get()) != nullptr && BN_sub_word(u.get(), 1) == 1 &&
       BN_mul_word(u.get(), 121666) == 1;
  ok = ok && BN_copy(t.get(), y2.get()) != nullptr && BN_mul_word(t.get(), 121665) == 1 &&
       BN_set_word(v.get(), 121666) == 1 && BN_mod_sub(v.get(), v.get(), t.get(), p.get(), context.get()) == 1;
  // u/v is a square exactly when u*v is; Kronecker symbol -1 says it is not.
  ok = ok && BN_nnmod(u.get(), u.get(), p.get(), context.get()) == 1 && mod_mul(t.get(), u.get(), v.get());
  if (!ok) return LibraryFailed("BN_mod_mul");
  const int square = BN_kronecker(t.get(), p.get(), context.get());
  if (square == -2) return LibraryFailed("BN_kronecker");
  if (square == -1) return Invalid("the point is not on Ed25519");
  // Small order: x = 0 (orders 1 and 2, symbol 0), y = 0 (order 4), or y^2 = -x^2
  // (order 8), which is d y^4 + 2 y^2 - 1 = 0, times 121666.
  ok = mod_mul(t.get(), y2.get(), y2.get()) && BN_mul_word(t.get(), 121665) == 1 &&
       BN_copy(d.get(), y2.get()) != nullptr && BN_mul_word(d.get(), 2UL * 121666) == 1 &&
       BN_sub(t.get(), d.get(), t.get()) == 1 && BN_sub(t.get(), t.get(), BN_value_one()) == 1 &&
       BN_sub_word(t.get(), 121665) == 1 && BN_nnmod(t.get(), t.get(), p.get(), context.get()) == 1;
  if (!ok) return LibraryFailed("BN_nnmod");
  if (square == 0 || BN_is_zero(y.get()) || BN_is_zero(t.get())) return Invalid("Ed25519 point of small order");
  return {};
}

void AppendLength(Bytes& out, std::size_t length) {
  if (length >= 0x100) {
    out.push_back(0x82);
    out.push_back(static_cast<std::uint8_t>(length >> 8));
  } else if (length >= 0x80) {
    out.push_back(0x81);
  }
  out.push_back(static_cast<std::uint8_t>(length));
}
Bytes Tagged(std::uint8_t tag, ByteView content) {
  Bytes out{tag};
  AppendLength(out, content.size());
  out.insert(out.end(), content.begin(), content.end());
  return out;
}
Bytes PositiveInteger(ByteView stripped) {
  Bytes content;
  if (stripped.front() >= 0x80) content.push_back(0);
  content.insert(content.end(), stripped.begin(), stripped.end());
  return Tagged(0x02, content);
}
Bytes RsaSpki(ByteView modulus, ByteView exponent) {
  Bytes integers = PositiveInteger(modulus);
  const Bytes second = PositiveInteger(exponent);
  integers.insert(integers.end(), second.begin(), second.end());
  Bytes bits = Tagged(0x30, integers);
  bits.insert(bits.begin(), 0);
  return Tagged(0x30, Join(kRsaAlgorithm, Tagged(0x03, bits)));
}

// Takes one element with `tag` off the front of `rest` and returns its content. Lenient on
// length forms: the caller re-encodes and compares, so that the strict form is spelled once.
Result<ByteView> TakeElement(std::uint8_t tag, ByteView& rest) {
  const Error error = Invalid("not a DER SubjectPublicKeyInfo of an EC P-256/P-384/P-521, Ed25519 or RSA key");
  if (rest.size() < 2 || rest[0] != tag) return error;
  std::size_t length = rest[1];
  std::size_t header = 2;
  if (length > 0x82) return error;
  if (length >= 0x80) {
    const std::size_t count = length - 0x80;
    if (rest.size() < 2 + count) return error;
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = length << 8 | rest[2 + i];
    header = 2 + count;
  }
  if (rest.size() - header < length) return error;
  const ByteView content = rest.subspan(header, length);
  rest = rest.subspan(header + length);
  return content;
}

// Of an SPKI that was checked when the key was made.
RsaNumbers ReadNumbers(ByteView spki) {
  ByteView rest = TakeElement(0x30, spki).value().subspan(kRsaAlgorithm.size());
  rest = TakeElement(0x03, rest).value().subspan(1);
  rest = TakeElement(0x30, rest).value();
  const ByteView modulus = TakeElement(0x02, rest).value();
  const ByteView exponent = TakeElement(0x02, rest).value();
  return {ToBytes(StripZeros(modulus)), ToBytes(StripZeros(exponent))};
}

Result<KeyAlgorithm> CheckRsa(ByteView modulus, ByteView exponent) {
  if (modulus.empty() || exponent.empty()) return Invalid("RSA modulus or exponent is zero");
  std::size_t bits = (modulus.size() - 1) * 8;
  for (unsigned top = modulus.front(); top != 0; top >>= 1) ++bits;
  const auto facts = std::find_if(kAlgorithms.begin(), kAlgorithms.end(), [&](const KeyAlgorithmFacts& row) {
    return row.field_bytes == 0 && row.bits == bits;
  });
  if (facts == kAlgorithms.end()) {
    return Invalid("RSA modulus has " + std::to_string(bits) + " bits, expected 2048, 3072 or 4096");
  }
  if ((modulus.back() & 1) == 0) return Invalid("RSA modulus is even");
  // FIPS 186-5 section 5.1: odd, above 2^16, below 2^256.
  if ((exponent.back() & 1) == 0) return Invalid("RSA public exponent is even");
  if (exponent.size() < 3) return Invalid("RSA public exponent is below 65537");
  if (exponent.size() > 32) return Invalid("RSA public exponent is above 2^256");
  return facts->algorithm;
}

}  // namespace

std::span<const KeyAlgorithmFacts> KeyAlgorithms() { return kAlgorithms; }
const KeyAlgorithmFacts& FactsOf(KeyAlgorithm algorithm) { return kAlgorithms[static_cast<std::size_t>(algorithm)]; }
const KeyAlgorithmFacts* FindKeyAlgorithm(std::string_view name) {
  const auto row = std::find_if(kAlgorithms.begin(), kAlgorithms.end(),
                                [&](const KeyAlgorithmFacts& facts) { return facts.name == name; });
  return row == kAlgorithms.end() ? nullptr : &*row;
}

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
  ByteView EcPointView() const {
    const std::optional<Curve> curve = CurveOf(algorithm);
    return curve ? ByteView(spki).subspan(FactsOfCurve(*curve).prefix.size()) : ByteView();
  }

 private:
  KeyPointer MakeKey() const;
  mutable std::once_flag once_;
  mutable KeyPointer key_;
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
  if (const std::optional<Curve> curve = CurveOf(algorithm)) {
    const ByteView point = EcPointView();
    if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, FactsOfCurve(*curve).group, 0) !=
            1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
      return nullptr;
    }
  } else {
    type = "RSA";
    const RsaNumbers numbers = ReadNumbers(spki);
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
  KC_RETURN_IF_ERROR(CheckPoint(curve, point));
  const CurveFacts& facts = FactsOfCurve(curve);
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
  ByteView rest = der;
  KC_ASSIGN_OR_RETURN(ByteView info, TakeElement(0x30, rest));
  if (!StartsWith(info, kRsaAlgorithm)) {
    return Invalid("unknown algorithm, expected EC P-256/P-384/P-521, Ed25519 or RSA with its NULL parameters");
  }
  info = info.subspan(kRsaAlgorithm.size());
  KC_ASSIGN_OR_RETURN(ByteView bits, TakeElement(0x03, info));
  if (bits.empty()) return Invalid("empty BIT STRING");
  bits = bits.subspan(1);
  KC_ASSIGN_OR_RETURN(ByteView integers, TakeElement(0x30, bits));
  KC_ASSIGN_OR_RETURN(const ByteView modulus, TakeElement(0x02, integers));
  KC_ASSIGN_OR_RETURN(const ByteView exponent, TakeElement(0x02, integers));
  KC_ASSIGN_OR_RETURN(PublicKey key, FromRsa(modulus, exponent));
  if (!std::ranges::equal(key.spki(), der)) return Invalid("the RSA SubjectPublicKeyInfo is not strict DER");
  return key;
}

KeyAlgorithm PublicKey::algorithm() const { return state_->algorithm; }
ByteView PublicKey::spki() const { return state_->spki; }
std::string PublicKey::SpkiSha256Hex() const { return Sha256Hex(state_->spki); }
Bytes PublicKey::EcPoint() const { return ToBytes(state_->EcPointView()); }
RsaNumbers RsaNumbersOf(const PublicKey& key) {
  return IsRsa(key.algorithm()) ? ReadNumbers(key.spki()) : RsaNumbers();
}

bool PublicKey::operator==(const PublicKey& other) const {
  return state_ == other.state_ || state_->spki == other.state_->spki;
}

Result<void> PublicKey::Verify(SignatureScheme scheme, ByteView message, ByteView signature) const {
  const KeyAlgorithmFacts& facts = FactsOf(state_->algorithm);
  const std::optional<Curve> curve = CurveOf(state_->algorithm);
  const RsaSchemeFacts* const rsa = FindRsaScheme(scheme);
  const bool fits = rsa != nullptr                      ? IsRsa(state_->algorithm)
                    : scheme == SignatureScheme::kEcdsa ? curve.has_value()
                                                        : state_->algorithm == KeyAlgorithm::kEd25519;
  if (!fits) return Invalid("the signature scheme does not go with an " + std::string(facts.title) + " key");
  if (curve) KC_RETURN_IF_ERROR(CheckStrictDer(*curve, signature));
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
    DigestAlgorithm digest = DigestAlgorithm::kSha256;
    if (curve == Curve::kP384) digest = DigestAlgorithm::kSha384;
    if (curve == Curve::kP521) digest = DigestAlgorithm::kSha512;
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
  if (verdict != 1) {
    return MakeError(ErrorCode::kCorrupt, "the signature does not verify under the " + std::string(facts.title) +
                                              " key with SPKI SHA-256 " + SpkiSha256Hex());
  }
  return {};
}

}  // namespace base
