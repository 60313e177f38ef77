#include "ceremony/x509/curves.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <array>

#include "hsm/base/owned.h"

namespace ceremony::x509 {
namespace {

struct CurveRow {
  base::Curve curve;
  Oid oid;
  int nid;
  std::size_t field_bytes;
};
constexpr std::array<CurveRow, 3> kCurves = {{
    {base::Curve::kP256, Oid::kP256, NID_X9_62_prime256v1, 32},
    {base::Curve::kP384, Oid::kP384, NID_secp384r1, 48},
    {base::Curve::kP521, Oid::kP521, NID_secp521r1, 66},
}};

}  // namespace

struct Curves::State {
  struct Curve {
    base::Owned<EC_GROUP, EC_GROUP_free> group;
    base::Owned<EC_POINT, EC_POINT_free> point;
    base::Bytes order;
    std::array<base::Bytes, 3> small_multiples;  // 04 || x || y of G, 2G and 3G
  };
  std::array<Curve, kCurves.size()> curves;
  base::Owned<BN_CTX, BN_CTX_free> scratch{BN_CTX_new()};

  const Curve& Of(base::Curve which);
};

std::optional<base::Curve> CurveOfOid(std::optional<Oid> oid) {
  for (const CurveRow& row : kCurves) {
    if (oid == row.oid) return row.curve;
  }
  return std::nullopt;
}

std::size_t FieldBytes(base::Curve curve) { return kCurves.at(static_cast<std::size_t>(curve)).field_bytes; }

const Curves::State::Curve& Curves::State::Of(base::Curve which) {
  const auto index = static_cast<std::size_t>(which);
  Curve& curve = curves.at(index);
  if (curve.group) return curve;
  const CurveRow& row = kCurves.at(index);
  curve.group.reset(EC_GROUP_new_by_curve_name(row.nid));
  curve.point.reset(EC_POINT_new(curve.group.get()));
  curve.order.resize(row.field_bytes);
  BN_bn2binpad(EC_GROUP_get0_order(curve.group.get()), curve.order.data(), static_cast<int>(row.field_bytes));
  const EC_POINT* generator = EC_GROUP_get0_generator(curve.group.get());
  EC_POINT_copy(curve.point.get(), generator);
  for (base::Bytes& multiple : curve.small_multiples) {
    multiple.resize(1 + 2 * row.field_bytes);
    EC_POINT_point2oct(curve.group.get(), curve.point.get(), POINT_CONVERSION_UNCOMPRESSED, multiple.data(),
                       multiple.size(), scratch.get());
    EC_POINT_add(curve.group.get(), curve.point.get(), curve.point.get(), generator, scratch.get());
  }
  return curve;
}

Curves::Curves() : state_(std::make_unique<State>()) {}

Curves::~Curves() = default;

bool Curves::IsOnCurve(base::Curve curve, base::ByteView point) const {
  const State::Curve& known = state_->Of(curve);
  const bool on =
      EC_POINT_oct2point(known.group.get(), known.point.get(), point.data(), point.size(), state_->scratch.get()) == 1;
  if (!on) ERR_clear_error();
  return on;
}

unsigned Curves::SmallMultiple(base::Curve curve, base::ByteView point) const {
  const std::size_t end = 1 + FieldBytes(curve);
  const auto& known = state_->Of(curve).small_multiples;
  if (point.size() < end) return 0;
  for (unsigned i = 0; i < known.size(); ++i) {
    if (std::equal(point.begin(), point.begin() + static_cast<std::ptrdiff_t>(end), known.at(i).begin())) return i + 1;
  }
  return 0;
}

bool Curves::IsBelowOrder(base::Curve curve, base::ByteView number) const {
  const base::Bytes& order = state_->Of(curve).order;
  while (!number.empty() && number.front() == 0) number = number.subspan(1);
  if (number.size() != order.size()) return number.size() < order.size();
  return std::lexicographical_compare(number.begin(), number.end(), order.begin(), order.end());
}

}  // namespace ceremony::x509
