// Finding is one thing that is wrong with a certificate: the rule, where, and a
// sentence a person understands. All rules stand in one table (rules.cc).
#ifndef CEREMONY_X509_FINDING_H_
#define CEREMONY_X509_FINDING_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hsm/base/bytes.h"

namespace ceremony::x509 {

// Both block; kGoodPractice is a "should" of its clause that two named people
// may waive, kBreach a "must".
enum class Severity : std::uint8_t { kBreach, kGoodPractice };
std::string_view SeverityName(Severity severity);  // "breach", "good-practice"

enum class RuleId : std::uint8_t {
  // X.690: how values are encoded.
  kDerLength01,
  kDerLength02,
  kDerLength03,
  kDerLength04,
  kDerTag01,
  kDerTag02,
  kDerTag03,
  kDerDepth01,
  kDerTrailing01,
  kDerInteger01,
  kDerInteger02,
  kDerBoolean01,
  kDerBoolean02,
  kDerBitString01,
  kDerBitString02,
  kDerNull01,
  kDerOid01,
  kDerString01,
  kDerString02,
  kDerString03,
  kDerTime01,
  kDerTime02,
  kDerSet01,
  kDerDefault01,
  kDerBitList01,
  // X.509 and RFC 5280: what a certificate says.
  kForm01,
  kForm02,
  kVersion01,
  kSerial01,
  kSerial02,
  kAlgorithm01,
  kAlgorithm02,
  kAlgorithm03,
  kName01,
  kName02,
  kName03,
  kName04,
  kName05,
  kName06,
  kName07,
  kName08,
  kTime01,
  kTime02,
  kTime03,
  kUniqueId01,
  kKey01,
  kKey02,
  kKey03,
  kKey04,
  kKey05,
  kKey06,
  kExtension01,
  kExtension02,
  kExtension03,
  kExtension04,
  kExtension05,
  kBasic01,
  kBasic02,
  kBasic03,
  kBasic04,
  kKeyUsage01,
  kKeyUsage02,
  kKeyUsage03,
  kKeyUsage04,
  kKeyUsage05,
  kSubjectKeyId01,
  kSubjectKeyId02,
  kSubjectKeyId03,
  kAuthorityKeyId01,
  kAuthorityKeyId02,
  kAuthorityKeyId03,
  kAuthorityKeyId04,
  kPolicy01,
  kPolicy02,
  kExtendedUsage01,
  kExtendedUsage02,
  kAltName01,
  kNameConstraints01,
  kNameConstraints02,
  kPolicyConstraints01,
  kPolicyConstraints02,
  kSignature01,
  kSignature02,
  kSignature03,
  kSignature04,
  kSignature05,
  kSignature06,
  kSignature07,
  // Keys that look sound and are not.
  kWeakKey01,
  kWeakKey02,
  kWeakKey03,
  kWeakKey04,
  // CRLs (RFC 5280 section 5).
  kCrlVersion01,
  kCrlUpdate01,
  kCrlUpdate02,
  kCrlList01,
  kCrlNumber01,
  kCrlAuthority01,
  kCrlExtension01,
  kCrlExtension02,
  kCrlPoint01,
  kCrlPoint02,
  kCrlEntry01,
  kCrlEntry02,
  kCrlEntry03,
  kCrlEntry04,
  kCrlReason01,
  kCrlReason02,
  // Certification requests (PKCS#10).
  kRequestVersion01,
  kRequestAttribute01,
  kRequestAttribute02,
  kRequestAttribute03,
  // A profile that contradicts itself.
  kProfile01,
  kProfile02,
  kProfile03,
  kProfile04,
  kProfile05,
  kProfile06,
  kProfile07,
  kProfile08,
  kProfile09,
  // Profiles that contradict their issuer's, and profiles of CRLs.
  kProfile10,
  kProfile11,
  kProfile12,
  kProfile13,
  kProfile14,
  kProfile15,
  // A certificate that is not what its profile says.
  kCompare01,
  kCompare02,
  // What a second library says.
  kOpenssl01,
  kOpenssl02,
  kOpenssl03,
  // What certificates say together, in a set.
  kSetSubjectKeyId01,
  kSetSubjectKeyId02,
  kSetAuthorityKeyId01,
  kSetName01,
  kSetKey01,
  kSetKey02,
  kSetSerial01,
  kSetTime01,
  kSetPath01,
  kSetSignature01,
  // Smart metering: what its profiles have in common.
  kSmkiPolicy01,
  kSmkiKeyId01,
  kSmkiKeyId02,
  kSmkiKey01,
  kSmkiAlgorithm01,
  kSmkiSerial01,
  kSmkiExtension01,
  kSmkiBasic01,
  kSmkiUsage01,
  kSmkiTime01,
  kSmkiName01,
  kSmkiName02,
  kSmkiName03,
  kSmkiEui01,
  kSmkiEui02,
  kSmkiDevice01,
  // Files that hold certificates.
  kBundle01,
  kBundle02,
  kBundle03,
  kBundle04,
  kBundle05,
  // The lint itself.
  kLint01,
  kCount
};

struct Rule {
  RuleId rule;
  std::string_view id;  // stable: "DER-LENGTH-03"
  Severity severity;
  std::string_view clause;  // "X.690 10.1", "RFC 5280 4.1.2.2"
  std::string_view title;   // what must be
};

const Rule& RuleOf(RuleId rule);
std::span<const Rule> Rules();

struct Finding {
  RuleId rule;
  std::size_t offset = 0;  // octets from the start of the certificate or TBS
  std::string message;     // lower case, no full stop; both values

  const Rule& facts() const { return RuleOf(rule); }
  // Text is one line: "DER-LENGTH-03 breach at octet 4: ... (X.690 10.1)".
  std::string Text() const;
};

// HexExcerpt is lowercase hex, cut after 40 octets, for messages.
std::string HexExcerpt(base::ByteView bytes);

// Findings collects what one pass over `file` finds. Nothing is allocated until
// the first finding; after kMost of them the rest is counted as one LINT-01.
class Findings final {
 public:
  static constexpr std::size_t kMost = 64;
  static constexpr std::size_t kLongest = 600;

  // Offsets are counted from the start of `file`, which must outlive this object.
  explicit Findings(base::ByteView file) : file_(file) {}

  // Add records a finding at `where`, which points into the file (or one past
  // it). A message is cut after kLongest characters.
  void Add(RuleId rule, const std::uint8_t* where, std::string message);
  void Add(RuleId rule, base::ByteView where, std::string message) { Add(rule, where.data(), std::move(message)); }

  bool empty() const { return list_.empty(); }
  std::size_t size() const { return list_.size(); }
  const std::vector<Finding>& list() const { return list_; }
  std::vector<Finding> Take() && { return std::move(list_); }
  base::ByteView file() const { return file_; }

 private:
  base::ByteView file_;
  std::vector<Finding> list_;
};

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_FINDING_H_
