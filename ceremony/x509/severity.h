// Severity grades a rule, of a lint or of a plan, and one that an operator's policy names.
#ifndef CEREMONY_X509_SEVERITY_H_
#define CEREMONY_X509_SEVERITY_H_

#include <cstdint>
#include <string_view>

namespace ceremony::x509 {

// Both block: kBreach is a "must", kGoodPractice a "should". At the desk they stop a ceremony until the cause is mended
// or people waive the rule.
enum class Severity : std::uint8_t { kBreach, kGoodPractice };

// SeverityName is the word of files, findings and entries.
constexpr std::string_view SeverityName(Severity severity) {
  return severity == Severity::kBreach ? "breach" : "good-practice";
}

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_SEVERITY_H_
