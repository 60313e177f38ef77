#include "ceremony/x509/der_writer.h"

#include <algorithm>
#include <array>

#include "ceremony/x509/asn1_time.h"

namespace ceremony::x509 {
namespace {

// Header octets of an element, at most a tag and 9 length octets.
struct HeaderOctets {
  std::array<std::uint8_t, 10> octets{};
  std::size_t size = 0;
};

HeaderOctets HeaderOf(std::uint8_t identifier, std::size_t length) {
  HeaderOctets header;
  header.octets[header.size++] = identifier;
  if (length < 0x80) {
    header.octets[header.size++] = static_cast<std::uint8_t>(length);
    return header;
  }
  unsigned octets = 0;
  for (std::size_t rest = length; rest != 0; rest >>= 8) ++octets;
  header.octets[header.size++] = static_cast<std::uint8_t>(0x80U | octets);
  for (; octets > 0; --octets) header.octets[header.size++] = static_cast<std::uint8_t>(length >> (8 * (octets - 1)));
  return header;
}

}  // namespace

void DerWriter::Value(std::uint8_t identifier, base::ByteView content) {
  const HeaderOctets header = HeaderOf(identifier, content.size());
  out_.insert(out_.end(), header.octets.begin(), header.octets.begin() + static_cast<std::ptrdiff_t>(header.size));
  out_.insert(out_.end(), content.begin(), content.end());
}

void DerWriter::Boolean(bool value) {
  const std::uint8_t octet = value ? 0xff : 0x00;
  Value(tag::kBoolean, {&octet, 1});
}

void DerWriter::Integer(std::uint64_t value) {
  std::array<std::uint8_t, 8> octets{};
  for (std::size_t i = octets.size(); i-- > 0; value >>= 8) octets[i] = static_cast<std::uint8_t>(value);
  UnsignedInteger(octets);
}

void DerWriter::UnsignedInteger(base::ByteView big_endian) {
  while (!big_endian.empty() && big_endian.front() == 0) big_endian = big_endian.subspan(1);
  base::Bytes content;
  if (big_endian.empty() || (big_endian.front() & 0x80U) != 0) content.push_back(0);
  content.insert(content.end(), big_endian.begin(), big_endian.end());
  Value(tag::kInteger, content);
}

void DerWriter::BitString(base::ByteView bits) {
  base::Bytes content{0};
  content.insert(content.end(), bits.begin(), bits.end());
  Value(tag::kBitString, content);
}

void DerWriter::NamedBits(std::uint16_t bits) {
  const unsigned list = bits;
  base::Bytes content{0};
  unsigned count = 0;
  for (unsigned bit = 0; bit < 16; ++bit) {
    if ((list >> bit & 1U) != 0) count = bit + 1;
  }
  content.resize(1 + (count + 7) / 8);
  for (unsigned bit = 0; bit < count; ++bit) {
    if ((list >> bit & 1U) != 0) content[1 + bit / 8] |= static_cast<std::uint8_t>(0x80U >> (bit % 8));
  }
  content[0] = static_cast<std::uint8_t>((8 - count % 8) % 8);
  Value(tag::kBitString, content);
}

void DerWriter::Time(std::int64_t utc_seconds) {
  if (utc_seconds < kFirstGeneralizedTime) {
    Text(tag::kUtcTime, FormatUtcTime(utc_seconds));
  } else {
    Text(tag::kGeneralizedTime, FormatGeneralizedTime(utc_seconds));
  }
}

void DerWriter::SetOf(std::vector<base::Bytes> elements) {
  // Plain lexicographic order is that of X.690 11.6: no whole element is a prefix of another.
  std::sort(elements.begin(), elements.end());
  Nested(tag::kSet, [&] {
    for (const base::Bytes& element : elements) Raw(element);
  });
}

void DerWriter::Wrap(std::uint8_t identifier, std::size_t start) {
  const HeaderOctets header = HeaderOf(identifier, out_.size() - start);
  out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(start), header.octets.begin(),
              header.octets.begin() + static_cast<std::ptrdiff_t>(header.size));
}

}  // namespace ceremony::x509
