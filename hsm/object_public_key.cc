// Public keys from the attributes of objects.
#include <fmt/format.h>

#include <algorithm>

#include "hsm/base/encoding.h"
#include "hsm/describe.h"
#include "hsm/key_pair_mechanism.h"
#include "hsm/object.h"

namespace hsm {
namespace {

using base::PublicKey;

// The object identifier of Ed25519 before RFC 8410: 1.3.6.1.4.1.11591.15.1.
constexpr std::uint8_t kEd25519OldOid[] = {0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01};

bool Same(ByteView a, ByteView b) { return std::ranges::equal(a, b); }

// The contents of a DER OCTET STRING that fills `der`; nothing otherwise.
std::optional<ByteView> OctetString(ByteView der) {
  if (der.size() < 2 || der[0] != 0x04) return std::nullopt;
  if (der[1] < 0x80 && der.size() == 2U + der[1]) return der.subspan(2);
  if (der[1] == 0x81 && der.size() >= 3 && der[2] >= 0x80 && der.size() == 3U + der[2]) return der.subspan(3);
  return std::nullopt;
}

Result<PublicKey> FromEcAttributes(const AttributeSet& attributes) {
  const ByteView parameters = attributes.Value(CKA_EC_PARAMS);
  const ByteView point = attributes.Value(CKA_EC_POINT);
  if (Same(parameters, kEd25519Oid) || Same(parameters, kEd25519Name) || Same(parameters, kEd25519OldOid)) {
    KC_ASSIGN_OR_RETURN(const Bytes raw, DecodeEcPoint(point, 32));
    return PublicKey::FromEd25519(raw);
  }
  for (const base::KeyAlgorithmFacts& facts : base::KeyAlgorithms()) {
    if (!facts.curve || !Same(parameters, base::AsBytes(facts.curve_oid_der))) continue;
    KC_ASSIGN_OR_RETURN(const Bytes raw, DecodeEcPoint(point, 1 + 2 * std::size_t{facts.field_bytes}));
    return PublicKey::FromEcPoint(*facts.curve, raw);
  }
  return base::MakeError(ErrorCode::kCorrupt,
                         "unknown curve: CKA_EC_PARAMS is " +
                             base::HexEncode(parameters.first(std::min<std::size_t>(parameters.size(), 64))));
}

Result<PublicKey> FromKeyMaterial(const AttributeSet& attributes) {
  if (attributes.Has(CKA_EC_POINT) && attributes.Has(CKA_EC_PARAMS) && !attributes.Value(CKA_EC_POINT).empty()) {
    return FromEcAttributes(attributes);
  }
  if (attributes.Has(CKA_MODULUS) && attributes.Has(CKA_PUBLIC_EXPONENT) && !attributes.Value(CKA_MODULUS).empty()) {
    return PublicKey::FromRsa(attributes.Value(CKA_MODULUS), attributes.Value(CKA_PUBLIC_EXPONENT));
  }
  return base::MakeError(ErrorCode::kNotFound, "the object shows no public key");
}

Error AsCorrupt(Error error) {
  if (error.code != ErrorCode::kNotFound) error.code = ErrorCode::kCorrupt;
  return error;
}

}  // namespace

Result<Bytes> DecodeEcPoint(ByteView attribute, std::size_t raw_size) {
  // A raw point begins with 04 as an OCTET STRING does; its size tells them apart.
  if (attribute.size() == raw_size) return base::ToBytes(attribute);
  const std::optional<ByteView> contents = OctetString(attribute);
  if (contents && contents->size() == raw_size) return base::ToBytes(*contents);
  return base::MakeError(ErrorCode::kCorrupt,
                         fmt::format("CKA_EC_POINT is neither a point of {} bytes nor one in an OCTET STRING: {} bytes",
                                     raw_size, attribute.size()));
}

Bytes EncodeEcPoint(ByteView point) {
  Bytes der = {0x04};
  if (point.size() >= 0x80) der.push_back(0x81);
  der.push_back(static_cast<std::uint8_t>(point.size()));
  der.insert(der.end(), point.begin(), point.end());
  return der;
}

Result<PublicKey> ReadPublicKey(const AttributeSet& attributes) {
  Result<PublicKey> material = FromKeyMaterial(attributes);
  if (!material.ok() && material.error().code != ErrorCode::kNotFound) return AsCorrupt(std::move(material).error());
  const ByteView info = attributes.Value(CKA_PUBLIC_KEY_INFO);
  if (info.empty()) return material;
  Result<PublicKey> stated = PublicKey::FromSpki(info);
  if (!stated.ok()) return AsCorrupt(std::move(stated).error()).Prefixed("CKA_PUBLIC_KEY_INFO");
  if (material.ok() && !(*material == *stated)) {
    return base::MakeError(
        ErrorCode::kCorrupt,
        fmt::format("the object shows two public keys: {} by its material, {} by CKA_PUBLIC_KEY_INFO",
                    material->SpkiSha256Hex(), stated->SpkiSha256Hex()));
  }
  return stated;
}

}  // namespace hsm
