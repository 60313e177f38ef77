#include "ceremony/x509/der_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/rule_id.h"

namespace ceremony::x509 {
namespace {

constexpr std::uint8_t kClassMask = 0xc0;
constexpr std::uint8_t kConstructed = 0x20;
constexpr std::uint8_t kNumberMask = 0x1f;

bool IsPrintable(std::uint8_t c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c != 0 && std::string_view(" '()+,-./:=?").find(static_cast<char>(c)) != std::string_view::npos;
}

// The octet where the text stops being UTF-8 (RFC 3629), or its size.
std::size_t Utf8Length(base::ByteView text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const std::uint8_t lead = text[i];
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t more = lead >= 0xc2 && lead <= 0xdf   ? 1
                             : (lead & 0xf0U) == 0xe0       ? 2
                             : lead >= 0xf0 && lead <= 0xf4 ? 3
                                                            : 0;
    if (more == 0 || text.size() - i <= more) return i;
    for (std::size_t j = 1; j <= more; ++j) {
      if ((text[i + j] & 0xc0U) != 0x80) return i;
    }
    const std::uint8_t second = text[i + 1];
    const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool surrogate = lead == 0xed && second >= 0xa0;
    const bool beyond = lead == 0xf4 && second >= 0x90;
    if (overlong || surrogate || beyond) return i;
    i += more + 1;
  }
  return i;
}

template <typename Allowed>
void CheckCharacters(base::ByteView content, const char* type, Allowed allowed, Findings& findings) {
  const auto bad = std::find_if_not(content.begin(), content.end(), allowed);
  if (bad != content.end()) {
    findings.Add(RuleId::kDerString01, &*bad, fmt::format("{} has the octet {:02x}, which it cannot hold", type, *bad));
  }
}

void CheckInteger(const Element& element, Findings& findings) {
  const base::ByteView content = element.content;
  if (content.empty()) {
    findings.Add(RuleId::kDerInteger01, element.whole, "INTEGER without contents");
  } else if (content.size() > 1 &&
             ((content[0] == 0x00 && (content[1] & 0x80U) == 0) || (content[0] == 0xff && (content[1] & 0x80U) != 0))) {
    findings.Add(RuleId::kDerInteger02, content,
                 fmt::format("INTEGER begins with a redundant {:02x} before {:02x}", content[0], content[1]));
  }
}

void CheckBitString(const Element& element, Findings& findings) {
  const base::ByteView content = element.content;
  if (content.empty() || content[0] > 7 || (content[0] > 0 && content.size() == 1)) {
    findings.Add(RuleId::kDerBitString01, element.whole,
                 content.empty()
                     ? std::string("BIT STRING without the octet that counts unused bits")
                     : fmt::format("BIT STRING states {} unused bits in {} octets", content[0], content.size() - 1));
  } else if ((content.back() & ((1U << content[0]) - 1U)) != 0 && content.size() > 1) {
    findings.Add(RuleId::kDerBitString02, &content.back(),
                 fmt::format("the {} unused bits of the BIT STRING are not zero: last octet {:02x}", content[0],
                             content.back()));
  }
}

void CheckOid(const Element& element, Findings& findings) {
  const base::ByteView content = element.content;
  if (content.empty()) {
    findings.Add(RuleId::kDerOid01, element.whole, "OBJECT IDENTIFIER without contents");
    return;
  }
  bool first_of_arc = true;
  for (const std::uint8_t& octet : content) {
    if (first_of_arc && octet == 0x80) {
      findings.Add(RuleId::kDerOid01, &octet, "OBJECT IDENTIFIER has an arc that begins with a redundant 80");
      return;
    }
    first_of_arc = (octet & 0x80U) == 0;
  }
  if (!first_of_arc) findings.Add(RuleId::kDerOid01, &content.back(), "OBJECT IDENTIFIER ends within an arc");
}

void CheckTime(const Element& element, Findings& findings) {
  const std::string_view text = base::AsText(element.content);
  const bool utc = element.identifier == tag::kUtcTime;
  if ((utc ? ParseUtcTime(text) : ParseGeneralizedTime(text)).has_value()) return;
  std::string shown;
  for (const char c : text.substr(0, 32)) shown += c >= ' ' && c <= '~' ? c : '?';
  findings.Add(utc ? RuleId::kDerTime01 : RuleId::kDerTime02, element.whole,
               fmt::format("{} \"{}\" is not {} with a date that exists", utc ? "UTCTime" : "GeneralizedTime", shown,
                           utc ? "YYMMDDHHMMSSZ" : "YYYYMMDDHHMMSSZ"));
}

// CheckPrimitive holds the contents of a universal, primitive value to its type.
void CheckPrimitive(const Element& element, Findings& findings) {
  const base::ByteView content = element.content;
  switch (element.identifier) {
    case tag::kBoolean:
      if (content.size() != 1) {
        findings.Add(RuleId::kDerBoolean01, element.whole, fmt::format("BOOLEAN has {} octets", content.size()));
      } else if (content[0] != 0x00 && content[0] != 0xff) {
        findings.Add(RuleId::kDerBoolean02, content, fmt::format("BOOLEAN TRUE is {:02x} instead of ff", content[0]));
      }
      return;
    case tag::kInteger:
    case tag::kEnumerated:
      return CheckInteger(element, findings);
    case tag::kBitString:
      return CheckBitString(element, findings);
    case tag::kNull:
      if (!content.empty())
        findings.Add(RuleId::kDerNull01, element.whole, fmt::format("NULL has {} octets", content.size()));
      return;
    case tag::kOid:
      return CheckOid(element, findings);
    case tag::kUtf8String:
      if (const std::size_t good = Utf8Length(content); good != content.size()) {
        findings.Add(RuleId::kDerString02, content.data() + good,
                     fmt::format("octet {:02x} of a UTF8String is not UTF-8", content[good]));
      }
      return;
    case tag::kNumericString:
      return CheckCharacters(
          content, "NumericString", [](std::uint8_t c) { return c == ' ' || (c >= '0' && c <= '9'); }, findings);
    case tag::kPrintableString:
      return CheckCharacters(content, "PrintableString", IsPrintable, findings);
    case tag::kIa5String:
      return CheckCharacters(
          content, "IA5String", [](std::uint8_t c) { return c < 0x80; }, findings);
    case tag::kVisibleString:
      return CheckCharacters(
          content, "VisibleString", [](std::uint8_t c) { return c >= ' ' && c <= '~'; }, findings);
    case tag::kUtcTime:
    case tag::kGeneralizedTime:
      return CheckTime(element, findings);
    case tag::kBmpString:
    case tag::kUniversalString: {
      const std::size_t unit = element.identifier == tag::kBmpString ? 2 : 4;
      if (content.size() % unit != 0) {
        findings.Add(RuleId::kDerString03, element.whole,
                     fmt::format("a string of {}-octet characters has {} octets", unit, content.size()));
      }
      return;
    }
    default:
      return;
  }
}

// CheckForm judges whether a universal type is primitive or constructed as DER asks.
void CheckForm(const Element& element, Findings& findings) {
  const unsigned number = element.identifier & kNumberMask;
  const bool constructed = (element.identifier & kConstructed) != 0;
  if (number == 0 || number == 15) {
    findings.Add(RuleId::kDerTag03, element.whole, fmt::format("tag {:02x} is reserved", element.identifier));
    return;
  }
  const bool must_be_constructed = number == 8 || number == 11 || number == 16 || number == 17 || number == 29;
  if (constructed != must_be_constructed && number != kNumberMask) {
    findings.Add(RuleId::kDerTag02, element.whole,
                 fmt::format("universal type {} is {}", number, constructed ? "constructed" : "primitive"));
  }
}

// SET OF: compared as octet strings, the shorter one padded with zeros (X.690 11.6).
bool Ascends(base::ByteView before, base::ByteView after) {
  const std::size_t shared = std::min(before.size(), after.size());
  const auto [a, b] =
      std::mismatch(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(shared), after.begin());
  if (a != before.begin() + static_cast<std::ptrdiff_t>(shared)) return *a < *b;
  return std::all_of(a, before.end(), [](std::uint8_t octet) { return octet == 0; });
}

void ReportFault(const Header& header, base::ByteView at, Findings& findings) {
  switch (header.fault) {
    case HeaderFault::kNone:
      return;
    case HeaderFault::kTruncated:
      findings.Add(RuleId::kDerLength01, at,
                   header.stated_length == 0
                       ? fmt::format("an element begins in the last {} octets and is cut off", at.size())
                       : fmt::format("an element states {} octets of contents where {} are left in all",
                                     header.stated_length, at.size()));
      return;
    case HeaderFault::kIndefiniteLength:
      findings.Add(RuleId::kDerLength02, at, "the length is indefinite (80)");
      return;
    case HeaderFault::kLengthTooLarge:
      findings.Add(RuleId::kDerLength04, at, "the length does not fit 64 bits");
      return;
    case HeaderFault::kLengthNotMinimal:
      findings.Add(RuleId::kDerLength03, at,
                   fmt::format("the length {} is not encoded in the fewest octets", header.stated_length));
      return;
    case HeaderFault::kTagNotMinimal:
      findings.Add(RuleId::kDerTag01, at, "the tag number is not encoded in the fewest octets");
      return;
    case HeaderFault::kTagTooLarge:
      findings.Add(RuleId::kDerTag01, at, "the tag number is above 2^31-1");
      return;
  }
}

bool Survivable(HeaderFault fault) { return fault == HeaderFault::kNone || fault == HeaderFault::kLengthNotMinimal; }

Header Faulty(HeaderFault fault, std::uint64_t stated_length = 0) {
  Header header;
  header.fault = fault;
  header.stated_length = stated_length;
  return header;
}

}  // namespace

Header ReadElement(base::ByteView bytes) {
  if (bytes.size() < 2) return Faulty(HeaderFault::kTruncated);
  Header header;
  header.element.identifier = bytes[0];
  std::size_t position = 1;
  if ((bytes[0] & kNumberMask) == kNumberMask) {
    std::uint32_t number = 0;
    if (bytes[position] == 0x80) return Faulty(HeaderFault::kTagNotMinimal);
    while (true) {
      if (position == bytes.size()) return Faulty(HeaderFault::kTruncated);
      const std::uint8_t octet = bytes[position++];
      if (number > (0x7fffffffU >> 7)) return Faulty(HeaderFault::kTagTooLarge);
      number = number << 7 | (octet & 0x7fU);
      if ((octet & 0x80U) == 0) break;
    }
    if (number < kNumberMask) return Faulty(HeaderFault::kTagNotMinimal);
    if (position == bytes.size()) return Faulty(HeaderFault::kTruncated);
  }
  std::uint64_t length = bytes[position++];
  if (length == 0x80) return Faulty(HeaderFault::kIndefiniteLength);
  if (length > 0x80) {
    std::size_t octets = length & 0x7fU;
    if (octets == 0x7f) return Faulty(HeaderFault::kLengthTooLarge);  // FF is reserved (8.1.3.5 c)
    if (octets > bytes.size() - position) return Faulty(HeaderFault::kTruncated);
    length = 0;
    const bool leading_zero = bytes[position] == 0;
    while (octets > 0 && bytes[position] == 0) {
      ++position;
      --octets;
    }
    if (octets > 8) return Faulty(HeaderFault::kLengthTooLarge);
    for (; octets > 0; --octets) length = length << 8 | bytes[position++];
    if (leading_zero || length < 0x80) header.fault = HeaderFault::kLengthNotMinimal;
  }
  if (length > bytes.size() - position) return Faulty(HeaderFault::kTruncated, length);
  header.stated_length = length;
  header.element.whole = bytes.first(position + static_cast<std::size_t>(length));
  header.element.content = header.element.whole.subspan(position);
  return header;
}

bool CheckDer(base::ByteView bytes, Findings& findings) {
  // One frame for each constructed value that is open; no recursion.
  struct Frame {
    base::ByteView rest;
    base::ByteView previous;  // in a SET: the element before
    bool is_set = false;
  };
  std::array<Frame, kMaxDepth> open;
  std::size_t depth = 0;

  Header header = ReadElement(bytes);
  ReportFault(header, bytes, findings);
  if (!Survivable(header.fault)) return false;
  if (header.element.whole.size() < bytes.size()) {
    findings.Add(RuleId::kDerTrailing01, bytes.data() + header.element.whole.size(),
                 fmt::format("{} octets follow the end of the encoding", bytes.size() - header.element.whole.size()));
  }
  while (true) {
    const Element& element = header.element;
    const bool universal = (element.identifier & kClassMask) == 0;
    if (universal) CheckForm(element, findings);
    if ((element.identifier & kConstructed) != 0) {
      if (depth == kMaxDepth) {
        findings.Add(RuleId::kDerDepth01, element.whole,
                     fmt::format("values are nested deeper than {} levels", kMaxDepth));
        return false;
      }
      open[depth++] = {element.content, {}, element.identifier == tag::kSet};
    } else if (universal) {
      CheckPrimitive(element, findings);
    }
    while (depth > 0 && open[depth - 1].rest.empty()) --depth;
    if (depth == 0) return true;

    Frame& frame = open[depth - 1];
    header = ReadElement(frame.rest);
    ReportFault(header, frame.rest, findings);
    if (!Survivable(header.fault)) return false;
    frame.rest = frame.rest.subspan(header.element.whole.size());
    if (frame.is_set) {
      if (!frame.previous.empty() && !Ascends(frame.previous, header.element.whole)) {
        findings.Add(RuleId::kDerSet01, header.element.whole, "an element of a SET OF stands after a greater one");
      }
      frame.previous = header.element.whole;
    }
  }
}

std::optional<Element> DerReader::TakeAny(const char* field) {
  if (failed_) return std::nullopt;
  if (rest_.empty()) {
    failed_ = true;
    findings_->Add(RuleId::kForm01, rest_, fmt::format("{}: {} is missing", what_, field));
    return std::nullopt;
  }
  const Header header = ReadElement(rest_);
  if (!Survivable(header.fault)) {
    failed_ = true;
    ReportFault(header, rest_, *findings_);
    return std::nullopt;
  }
  rest_ = rest_.subspan(header.element.whole.size());
  return header.element;
}

std::optional<Element> DerReader::Take(std::uint8_t identifier, const char* field) {
  if (failed_) return std::nullopt;
  if (!rest_.empty() && rest_.front() != identifier) {
    failed_ = true;
    findings_->Add(
        RuleId::kForm01, rest_,
        fmt::format("{}: {} must have the tag {:02x}, here is {:02x}", what_, field, identifier, rest_.front()));
    return std::nullopt;
  }
  return TakeAny(field);
}

std::optional<Element> DerReader::TakeIf(std::uint8_t identifier) {
  if (Peek() != identifier) return std::nullopt;
  return TakeAny("element");
}

bool DerReader::Finish() {
  if (failed_) return false;
  if (rest_.empty()) return true;
  failed_ = true;
  findings_->Add(RuleId::kForm02, rest_,
                 fmt::format("{}: an element with the tag {:02x} that does not belong here", what_, rest_.front()));
  return false;
}

std::optional<std::uint32_t> SmallIntegerOf(base::ByteView content) {
  if (content.empty() || (content[0] & 0x80U) != 0) return std::nullopt;
  while (content.size() > 1 && content[0] == 0) content = content.subspan(1);
  if (content.size() > 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const std::uint8_t octet : content) value = value << 8 | octet;
  return value > 0x7fffffffU ? std::nullopt : std::optional(value);
}

std::optional<BitStringView> BitStringOf(base::ByteView content) {
  if (content.empty() || content[0] > 7) return std::nullopt;
  return BitStringView{content[0], content.subspan(1)};
}

}  // namespace ceremony::x509
