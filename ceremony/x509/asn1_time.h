// UTCTime and GeneralizedTime as certificates use them (RFC 5280 section
// 4.1.2.5): seconds always, `Z` always, no fractions.
#ifndef CEREMONY_X509_ASN1_TIME_H_
#define CEREMONY_X509_ASN1_TIME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ceremony/x509/profile.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

// 99991231235959Z, the end of a certificate without a known end.
inline constexpr std::int64_t kIndefiniteEnd = 253402300799;
// 20500101000000Z: from here on times are GeneralizedTime.
inline constexpr std::int64_t kFirstGeneralizedTime = 2524608000;

// ParseUtcTime takes exactly YYMMDDHHMMSSZ (YY >= 50 is 19YY), ParseGeneralizedTime
// exactly YYYYMMDDHHMMSSZ, both with a date that exists; seconds since 1970 UTC.
std::optional<std::int64_t> ParseUtcTime(std::string_view text);
std::optional<std::int64_t> ParseGeneralizedTime(std::string_view text);

// FormatGeneralizedTime spells "YYYYMMDDHHMMSSZ", FormatUtcTime "YYMMDDHHMMSSZ".
std::string FormatGeneralizedTime(std::int64_t utc_seconds);
std::string FormatUtcTime(std::int64_t utc_seconds);
// ReadableTime spells "2026-11-21 05:17:45 UTC" for people.
std::string ReadableTime(std::int64_t utc_seconds);

// Ends says when a certificate of this validity begins and ends, if it were to
// begin at `not_before` (which FixedValidity overrides). kInvalidInput when an
// end is outside 1950..9999 or not after the beginning.
struct ValidityPeriod {
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
};
base::Result<ValidityPeriod> PeriodOf(const Validity& validity, std::int64_t not_before);

// ValidityText says it for people: "50 years", "until 99991231235959Z".
std::string ValidityText(const Validity& validity);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_ASN1_TIME_H_
