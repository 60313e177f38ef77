// The NIST curves for lint: does a point lie on its curve, is a scalar below
// the order. Each is set up at its first use, then cheap; the arithmetic is
// OpenSSL's.
#ifndef CEREMONY_X509_CURVES_H_
#define CEREMONY_X509_CURVES_H_

#include <memory>
#include <optional>

#include "ceremony/x509/oid.h"
#include "hsm/base/bytes.h"
#include "hsm/base/public_key.h"

namespace ceremony::x509 {

// CurveOfOid knows kP256, kP384 and kP521.
std::optional<base::Curve> CurveOfOid(std::optional<Oid> oid);
// FieldBytes is the size of a coordinate, of r and of s: 32, 48 or 66.
std::size_t FieldBytes(base::Curve curve);

class Curves final {
 public:
  Curves();
  ~Curves();
  Curves(const Curves&) = delete;  // one for each thread: it holds scratch space
  Curves& operator=(const Curves&) = delete;

  // IsOnCurve takes an uncompressed point (04 || x || y) of the right size.
  bool IsOnCurve(base::Curve curve, base::ByteView point) const;
  // IsBelowOrder takes a big-endian number, leading zeros allowed.
  bool IsBelowOrder(base::Curve curve, base::ByteView number) const;
  // SmallMultiple returns 1, 2 or 3 when the point is that multiple of the
  // generator or of its negative (it has the same x), else 0.
  unsigned SmallMultiple(base::Curve curve, base::ByteView point) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_CURVES_H_
