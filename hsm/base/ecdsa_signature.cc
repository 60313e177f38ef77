#include "hsm/base/ecdsa_signature.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "hsm/base/big_endian.h"

namespace base {
namespace {

constexpr std::size_t kMaxWidth = 66;  // bytes of r or s on P-521

struct CurveOrder {
  std::string_view title;
  std::size_t width;       // bytes of r, s and n
  std::string_view order;  // n, big-endian (SEC 2 version 2, sections 2.4.2, 2.5.1, 2.6.1)
};

constexpr std::array<CurveOrder, 3> kOrders = {{
    {"P-256",
     32,
     {"\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17\x9e\x84"
      "\xf3\xb9\xca\xc2\xfc\x63\x25\x51",
      32}},
    {"P-384",
     48,
     {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
      "\xc7\x63\x4d\x81\xf4\x37\x2d\xdf\x58\x1a\x0d\xb2\x48\xb0\xa7\x7a\xec\xec\x19\x6a\xcc\xc5\x29\x73",
      48}},
    {"P-521",
     66,
     {"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfa\x51\x86\x87\x83\xbf\x2f\x96\x6b\x7f\xcc\x01\x48\xf7\x09"
      "\xa5\xd0\x3b\xb5\xc9\xb8\x89\x9c\x47\xae\xbb\x6f\xb7\x1e\x91\x38\x64\x09",
      66}},
}};

const CurveOrder& OrderOf(Curve curve) { return kOrders[static_cast<std::size_t>(curve)]; }

// An integer of the curve's width, big-endian, left-padded with zeros; only the first `width` bytes count.
struct Scalar {
  std::array<std::uint8_t, kMaxWidth> bytes{};
};

Error Malformed(const CurveOrder& order, const std::string& what) {
  return MakeError(ErrorCode::kCorrupt, "ECDSA signature on " + std::string(order.title) + ": " + what);
}

// a - b over `width` bytes, for a >= b.
Scalar Subtract(ByteView a, const Scalar& b, std::size_t width) {
  Scalar difference;
  int borrow = 0;
  for (std::size_t i = width; i-- > 0;) {
    int digit = int{a[i]} - int{b.bytes[i]} - borrow;
    borrow = digit < 0 ? 1 : 0;
    difference.bytes[i] = static_cast<std::uint8_t>(digit + 256 * borrow);
  }
  return difference;
}

int Compare(const Scalar& a, ByteView b, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) {
    if (a.bytes[i] != b[i]) return a.bytes[i] < b[i] ? -1 : 1;
  }
  return 0;
}

// n is odd, so s <= n/2 is s < n - s.
bool IsLow(const Scalar& s, const CurveOrder& order) {
  const Scalar other = Subtract(AsBytes(order.order), s, order.width);
  return Compare(s, ByteView(other.bytes), order.width) < 0;
}

// Accepts an integer without leading zeros and puts it into the curve's width, in [1, n-1].
Result<Scalar> ToScalar(const CurveOrder& order, const char* name, ByteView stripped) {
  if (stripped.empty()) return Malformed(order, std::string(name) + " is zero");
  Scalar scalar;
  if (stripped.size() > order.width) return Malformed(order, std::string(name) + " is not below the curve's order");
  std::copy(stripped.begin(), stripped.end(),
            scalar.bytes.begin() + static_cast<std::ptrdiff_t>(order.width - stripped.size()));
  if (Compare(scalar, AsBytes(order.order), order.width) >= 0) {
    return Malformed(order, std::string(name) + " is not below the curve's order");
  }
  return scalar;
}

// Takes one INTEGER off the front of `rest` and returns its value without the sign byte.
Result<Scalar> TakeInteger(const CurveOrder& order, const char* name, ByteView& rest) {
  // r and s have at most 67 content bytes, so a strict length has one byte.
  if (rest.size() < 2 || rest[0] != 0x02 || rest[1] >= 0x80 || rest[1] > rest.size() - 2) {
    return Malformed(order, std::string(name) + " is not a whole DER INTEGER");
  }
  ByteView content = rest.subspan(2, rest[1]);
  rest = rest.subspan(2 + content.size());
  if (content.empty()) return Malformed(order, std::string(name) + " is an empty INTEGER");
  if (content[0] >= 0x80) return Malformed(order, std::string(name) + " is negative");
  if (content[0] == 0 && content.size() > 1) {
    if (content[1] < 0x80) return Malformed(order, std::string(name) + " has a redundant leading zero");
    content = content.subspan(1);
  } else if (content[0] == 0) {
    content = {};
  }
  return ToScalar(order, name, content);
}

Result<Scalar> ParseStrict(const CurveOrder& order, ByteView der) {
  if (der.size() < 2 || der[0] != 0x30) return Malformed(order, "not a DER SEQUENCE");
  std::size_t header = 2;
  std::size_t length = der[1];
  if (length == 0x81) {
    if (der.size() < 3 || der[2] < 0x80) return Malformed(order, "SEQUENCE length is not minimal");
    header = 3;
    length = der[2];
  } else if (length >= 0x80) {
    return Malformed(order, "SEQUENCE length is not minimal or too long");
  }
  if (der.size() - header != length) {
    return Malformed(order, "SEQUENCE says " + std::to_string(length) + " bytes, " +
                                std::to_string(der.size() - header) + " follow");
  }
  ByteView rest = der.subspan(header);
  KC_RETURN_IF_ERROR(TakeInteger(order, "r", rest));
  KC_ASSIGN_OR_RETURN(Scalar s, TakeInteger(order, "s", rest));
  if (!rest.empty()) return Malformed(order, std::to_string(rest.size()) + " bytes follow s");
  return s;
}

void AppendInteger(Bytes& out, const Scalar& scalar, std::size_t width) {
  const ByteView value = StripZeros(ByteView(scalar.bytes).first(width));
  const bool pad = value.front() >= 0x80;
  out.push_back(0x02);
  out.push_back(static_cast<std::uint8_t>(value.size() + (pad ? 1 : 0)));
  if (pad) out.push_back(0);
  out.insert(out.end(), value.begin(), value.end());
}

}  // namespace

Result<Bytes> RawToLowSDer(Curve curve, ByteView raw) {
  const CurveOrder& order = OrderOf(curve);
  if (raw.empty() || raw.size() % 2 != 0) {
    return Malformed(order, "raw r||s of " + std::to_string(raw.size()) + " bytes, expected an even number above 0");
  }
  KC_ASSIGN_OR_RETURN(const Scalar r, ToScalar(order, "r", StripZeros(raw.first(raw.size() / 2))));
  KC_ASSIGN_OR_RETURN(Scalar s, ToScalar(order, "s", StripZeros(raw.subspan(raw.size() / 2))));
  if (!IsLow(s, order)) s = Subtract(AsBytes(order.order), s, order.width);

  Bytes integers;
  integers.reserve(2 * (order.width + 3) + 3);
  AppendInteger(integers, r, order.width);
  AppendInteger(integers, s, order.width);
  Bytes header{0x30};
  if (integers.size() >= 0x80) header.push_back(0x81);
  header.push_back(static_cast<std::uint8_t>(integers.size()));
  integers.insert(integers.begin(), header.begin(), header.end());
  return integers;
}

Result<void> CheckStrictDer(Curve curve, ByteView der) {
  KC_RETURN_IF_ERROR(ParseStrict(OrderOf(curve), der));
  return {};
}

Result<void> CheckStrictLowSDer(Curve curve, ByteView der) {
  const CurveOrder& order = OrderOf(curve);
  KC_ASSIGN_OR_RETURN(const Scalar s, ParseStrict(order, der));
  if (!IsLow(s, order)) return Malformed(order, "s is above half the curve's order");
  return {};
}

}  // namespace base
