#include "hsm/base/rsa_spki.h"

#include "hsm/base/big_endian.h"
#include "hsm/base/key_checks.h"

namespace base {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kRsaAlgorithm = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"sv;

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
// Takes one element with `tag` off the front of `rest` and returns its content.
Result<ByteView> TakeElement(std::uint8_t tag, ByteView& rest) {
  const Error error = InvalidKey("not a DER SubjectPublicKeyInfo of an EC P-256/P-384/P-521, Ed25519 or RSA key");
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

}  // namespace

Bytes RsaSpki(ByteView modulus, ByteView exponent) {
  Bytes integers = PositiveInteger(modulus);
  const Bytes second = PositiveInteger(exponent);
  integers.insert(integers.end(), second.begin(), second.end());
  Bytes bits = Tagged(0x30, integers);
  bits.insert(bits.begin(), 0);
  Bytes info = ToBytes(AsBytes(kRsaAlgorithm));
  const Bytes key = Tagged(0x03, bits);
  info.insert(info.end(), key.begin(), key.end());
  return Tagged(0x30, info);
}

Result<RsaNumbers> ReadRsaSpki(ByteView spki) {
  KC_ASSIGN_OR_RETURN(ByteView info, TakeElement(0x30, spki));
  if (!AsText(info).starts_with(kRsaAlgorithm)) {
    return InvalidKey("unknown algorithm, expected EC P-256/P-384/P-521, Ed25519 or RSA with its NULL parameters");
  }
  info = info.subspan(kRsaAlgorithm.size());
  KC_ASSIGN_OR_RETURN(ByteView bits, TakeElement(0x03, info));
  if (bits.empty()) return InvalidKey("empty BIT STRING");
  bits = bits.subspan(1);
  KC_ASSIGN_OR_RETURN(ByteView integers, TakeElement(0x30, bits));
  KC_ASSIGN_OR_RETURN(const ByteView modulus, TakeElement(0x02, integers));
  KC_ASSIGN_OR_RETURN(const ByteView exponent, TakeElement(0x02, integers));
  return RsaNumbers{ToBytes(StripZeros(modulus)), ToBytes(StripZeros(exponent))};
}

}  // namespace base
