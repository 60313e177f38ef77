#include "hsm/base/p256_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "hsm/base/owned.h"

namespace base {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t kScalar = 32;
constexpr std::size_t kPoint = 65;

// PrivateKeyInfo up to the scalar, and between the scalar and the point.
constexpr std::string_view kBeforeScalar =
    "\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    "\x04\x6d\x30\x6b\x02\x01\x01\x04\x20"sv;
constexpr std::string_view kBeforePoint = "\xa1\x44\x03\x42\x00"sv;
constexpr std::size_t kPkcs8 = kBeforeScalar.size() + kScalar + kBeforePoint.size() + kPoint;
static_assert(kPkcs8 == 138);

using Number = Owned<BIGNUM, BN_clear_free>;

Error Failed(const char* call) {
  ERR_clear_error();
  Error error = MakeError(ErrorCode::kInternal, "libcrypto could not do its part for a P-256 key");
  error.call = call;
  return error;
}

// `scalar` is empty for a public key. libcrypto checks that the point is on the curve.
EvpKey FromParts(ByteView scalar, ByteView point) {
  // OSSL_PARAM takes pointers to what it only reads as if it wrote there.
  std::array<char, 6> group = {"P-256"};
  Bytes point_copy = ToBytes(point);
  SecretBytes native(scalar.size());
  std::array<OSSL_PARAM, 4> params;
  std::size_t count = 0;
  params[count++] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0);
  params[count++] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point_copy.data(), point_copy.size());
  if (!scalar.empty()) {
    const Number number(BN_secure_new());
    if (!number || BN_bin2bn(scalar.data(), static_cast<int>(scalar.size()), number.get()) == nullptr ||
        BN_bn2nativepad(number.get(), native.writable().data(), static_cast<int>(native.size())) < 0) {
      return nullptr;
    }
    params[count++] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native.writable().data(), native.size());
  }
  params[count] = OSSL_PARAM_construct_end();
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, scalar.empty() ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR, params.data()) !=
          1) {
    ERR_clear_error();
    return nullptr;
  }
  return EvpKey(key);
}

bool PointOf(const EVP_PKEY* key, std::span<std::uint8_t, kPoint> point) {
  std::size_t size = 0;
  return EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) == 1 &&
         size == kPoint && point[0] == 0x04;
}

}  // namespace

EvpKey GenerateP256() { return EvpKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")); }

EvpKey P256FromPkcs8(ByteView der) {
  if (der.size() != kPkcs8) return nullptr;
  const std::string_view text = AsText(der);
  if (!text.starts_with(kBeforeScalar) ||
      text.substr(kBeforeScalar.size() + kScalar, kBeforePoint.size()) != kBeforePoint)
    return nullptr;
  const ByteView point = der.last(kPoint);
  if (point[0] != 0x04) return nullptr;
  return FromParts(der.subspan(kBeforeScalar.size(), kScalar), point);
}

EvpKey P256FromPublicKey(const PublicKey& key) {
  return key.algorithm() == KeyAlgorithm::kEcP256 ? FromParts({}, key.EcPoint()) : nullptr;
}

Result<PublicKey> PublicHalfOf(const EVP_PKEY* p256) {
  std::array<std::uint8_t, kPoint> point;
  if (!PointOf(p256, point)) return Failed("EVP_PKEY_get_octet_string_param");
  return PublicKey::FromEcPoint(Curve::kP256, point);
}

Result<SecretBytes> P256ToPkcs8(const EVP_PKEY* p256) {
  std::array<std::uint8_t, kPoint> point;
  BIGNUM* scalar = nullptr;
  if (!PointOf(p256, point) || EVP_PKEY_get_bn_param(p256, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) != 1)
    return Failed("EVP_PKEY_get_bn_param");
  const Number owned(scalar);
  SecretBytes der(kPkcs8);
  auto out = std::ranges::copy(AsBytes(kBeforeScalar), der.writable().begin()).out;
  if (BN_bn2binpad(scalar, &*out, kScalar) != static_cast<int>(kScalar)) return Failed("BN_bn2binpad");
  out = std::ranges::copy(AsBytes(kBeforePoint), out + kScalar).out;
  std::ranges::copy(point, out);
  return der;
}

}  // namespace base
