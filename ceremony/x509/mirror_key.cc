#include "ceremony/x509/mirror_key.h"

#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include "hsm/base/bytes.h"
#include "hsm/base/owned.h"

namespace ceremony::x509 {
namespace {

std::optional<base::PublicKey> MirrorOfPoint(base::Curve curve, int nid, base::ByteView octets) {
  const base::Owned<EC_GROUP, EC_GROUP_free> group(EC_GROUP_new_by_curve_name(nid));
  if (!group) return std::nullopt;
  const base::Owned<EC_POINT, EC_POINT_free> point(EC_POINT_new(group.get()));
  base::Bytes mirror(octets.size());
  if (!point || EC_POINT_oct2point(group.get(), point.get(), octets.data(), octets.size(), nullptr) != 1 ||
      EC_POINT_invert(group.get(), point.get(), nullptr) != 1 ||
      EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, mirror.data(), mirror.size(),
                         nullptr) != mirror.size())
    return std::nullopt;
  auto key = base::PublicKey::FromEcPoint(curve, mirror);
  return key.ok() ? std::optional(std::move(key).value()) : std::nullopt;
}

// The sign of x is the top bit of the last octet (RFC 8032 5.1.2).
std::optional<base::PublicKey> MirrorOfEd25519(base::ByteView spki) {
  constexpr std::size_t kOctets = 32;
  base::Bytes raw(spki.end() - kOctets, spki.end());
  raw.back() ^= 0x80U;
  auto key = base::PublicKey::FromEd25519(raw);
  return key.ok() ? std::optional(std::move(key).value()) : std::nullopt;
}

}  // namespace

std::optional<base::PublicKey> MirrorOf(const base::PublicKey& key) {
  switch (key.algorithm()) {
    case base::KeyAlgorithm::kEcP256:
      return MirrorOfPoint(base::Curve::kP256, NID_X9_62_prime256v1, key.EcPoint());
    case base::KeyAlgorithm::kEcP384:
      return MirrorOfPoint(base::Curve::kP384, NID_secp384r1, key.EcPoint());
    case base::KeyAlgorithm::kEcP521:
      return MirrorOfPoint(base::Curve::kP521, NID_secp521r1, key.EcPoint());
    case base::KeyAlgorithm::kEd25519:
      return MirrorOfEd25519(key.spki());
    default:
      return std::nullopt;
  }
}

}  // namespace ceremony::x509
