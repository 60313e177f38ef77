// A DER reader of our own (X.690), without OpenSSL and without allocation: it
// hands out views into the caller's bytes.
//
// Two layers. CheckDer walks every element of an encoding and checks that it is
// DER. It goes on after a mistake if it can, so that one pass names every mistake
// with its octet offset. DerReader then parses the same bytes by type; it accepts
// what CheckDer has reported (a length that is not minimal), so that later rules
// still see the certificate.
// Nesting is followed without recursion and at most kMaxDepth deep.
#ifndef CEREMONY_X509_DER_READER_H_
#define CEREMONY_X509_DER_READER_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "ceremony/x509/finding.h"
#include "hsm/base/bytes.h"

namespace ceremony::x509 {

// Identifier octets that certificates use (class, form and number in one).
namespace tag {
inline constexpr std::uint8_t kBoolean = 0x01;
inline constexpr std::uint8_t kInteger = 0x02;
inline constexpr std::uint8_t kBitString = 0x03;
inline constexpr std::uint8_t kOctetString = 0x04;
inline constexpr std::uint8_t kNull = 0x05;
inline constexpr std::uint8_t kOid = 0x06;
inline constexpr std::uint8_t kEnumerated = 0x0a;
inline constexpr std::uint8_t kUtf8String = 0x0c;
inline constexpr std::uint8_t kNumericString = 0x12;
inline constexpr std::uint8_t kPrintableString = 0x13;
inline constexpr std::uint8_t kTeletexString = 0x14;
inline constexpr std::uint8_t kIa5String = 0x16;
inline constexpr std::uint8_t kUtcTime = 0x17;
inline constexpr std::uint8_t kGeneralizedTime = 0x18;
inline constexpr std::uint8_t kVisibleString = 0x1a;
inline constexpr std::uint8_t kUniversalString = 0x1c;
inline constexpr std::uint8_t kBmpString = 0x1e;
inline constexpr std::uint8_t kSequence = 0x30;
inline constexpr std::uint8_t kSet = 0x31;
// Context-specific tags: [n] primitive and [n] constructed.
constexpr std::uint8_t Context(unsigned number) { return static_cast<std::uint8_t>(0x80U | number); }
constexpr std::uint8_t ContextConstructed(unsigned number) { return static_cast<std::uint8_t>(0xa0U | number); }
}  // namespace tag

// Element is one tag-length-value. All views point into the bytes it was read from.
struct Element {
  std::uint8_t identifier = 0;  // first octet; tag numbers above 30 show as 0x1f in the low bits
  base::ByteView whole;
  base::ByteView content;
};

// HeaderFault says why no element could be read, or what was wrong with one
// that could (kLengthNotMinimal alone leaves an element).
enum class HeaderFault : std::uint8_t {
  kNone,
  kTruncated,
  kIndefiniteLength,
  kLengthTooLarge,
  kLengthNotMinimal,
  kTagNotMinimal,
  kTagTooLarge,
};

struct Header {
  Element element;
  HeaderFault fault = HeaderFault::kNone;
  std::uint64_t stated_length = 0;  // of the content, as far as it fits 64 bits
};

// ReadElement reads the element at the start of `bytes`. Lengths of any size up
// to 126 length octets are judged without overflow.
Header ReadElement(base::ByteView bytes);

// CheckDer walks `bytes`, which must be exactly one element, and reports every
// breach of DER into `findings`, whose file must contain `bytes`. It returns
// false when the structure broke so badly that reading on makes no sense
// (truncated, indefinite, too deep).
inline constexpr std::size_t kMaxDepth = 32;
bool CheckDer(base::ByteView bytes, Findings& findings);

// DerReader takes the elements of a constructed value apart, in order. The
// first element that is missing or of another type is reported as FORM-01, and
// from then on nothing is read and `failed` is true.
class DerReader final {
 public:
  // `what` names the value for findings ("extension basicConstraints").
  DerReader(base::ByteView content, const char* what, Findings& findings)
      : rest_(content), what_(what), findings_(&findings) {}

  bool AtEnd() const { return rest_.empty(); }
  bool failed() const { return failed_; }
  base::ByteView rest() const { return rest_; }

  // Peek returns the identifier of the next element, 0 at the end.
  std::uint8_t Peek() const { return failed_ || rest_.empty() ? std::uint8_t{0} : rest_.front(); }

  // Take returns the next element, which must have this identifier; nullopt
  // after reporting that `field` is missing or something else.
  std::optional<Element> Take(std::uint8_t identifier, const char* field);
  // TakeAny returns the next element whatever it is.
  std::optional<Element> TakeAny(const char* field);
  // TakeIf returns the next element if it has this identifier, else nullopt.
  std::optional<Element> TakeIf(std::uint8_t identifier);

  // Finish reports FORM-02 if anything is left.
  bool Finish();

 private:
  base::ByteView rest_;
  const char* what_;
  Findings* findings_;
  bool failed_ = false;
};

// BooleanOf and SmallIntegerOf read contents that CheckDer has checked; malformed
// contents get the nearest meaning.
inline bool BooleanOf(base::ByteView content) { return !content.empty() && content[0] != 0; }
// nullopt when negative or above 2^31-1.
std::optional<std::uint32_t> SmallIntegerOf(base::ByteView content);

// BitString splits the content of a BIT STRING.
struct BitStringView {
  unsigned unused = 0;
  base::ByteView bits;
};
// nullopt when the content is empty or unused bits exceed 7.
std::optional<BitStringView> BitStringOf(base::ByteView content);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_DER_READER_H_
