// DerWriter builds DER: minimal lengths and INTEGERs by construction. Misuse
// (a string with characters outside its type, a SET built unsorted) is not
// possible here or is refused by CheckDer, which everything built passes again.
#ifndef CEREMONY_X509_DER_WRITER_H_
#define CEREMONY_X509_DER_WRITER_H_

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/oid.h"
#include "hsm/base/bytes.h"

namespace ceremony::x509 {

class DerWriter final {
 public:
  // Raw appends bytes that are DER already.
  void Raw(base::ByteView der) { out_.insert(out_.end(), der.begin(), der.end()); }
  // Value appends one element with these contents.
  void Value(std::uint8_t identifier, base::ByteView content);
  void Boolean(bool value);
  void Integer(std::uint64_t value);
  // UnsignedInteger appends big-endian octets as a non-negative INTEGER:
  // leading zeros are stripped, one is put before a set top bit.
  void UnsignedInteger(base::ByteView big_endian);
  void ObjectIdentifier(Oid oid) { Value(tag::kOid, ContentOf(oid)); }
  void BitString(base::ByteView bits);
  // NamedBits appends a named bit list (X.690 11.2.2): bit i of `bits` is bit i
  // of the list, trailing zero bits left out.
  void NamedBits(std::uint16_t bits);
  void Text(std::uint8_t identifier, std::string_view text) { Value(identifier, base::AsBytes(text)); }
  // Time appends UTCTime through 2049 and GeneralizedTime from 2050 (RFC 5280
  // section 4.1.2.5). Years 1950..9999.
  void Time(std::int64_t utc_seconds);

  // Nested appends a constructed element (or an OCTET STRING that holds DER)
  // around what `fill` writes to this writer.
  template <typename Fill>
  void Nested(std::uint8_t identifier, Fill&& fill) {
    const std::size_t start = out_.size();
    std::forward<Fill>(fill)();
    Wrap(identifier, start);
  }
  // SetOf appends a SET OF: the elements in ascending order (X.690 11.6).
  void SetOf(std::vector<base::Bytes> elements);

  base::ByteView view() const { return out_; }
  base::Bytes Take() && { return std::move(out_); }

 private:
  void Wrap(std::uint8_t identifier, std::size_t start);

  base::Bytes out_;
};

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_DER_WRITER_H_
