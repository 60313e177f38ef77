// Finding is one fault of a certificate: the rule, the place, and a sentence for
// people. All rules stand in one table (rules.cc).
#ifndef CEREMONY_X509_FINDING_H_
#define CEREMONY_X509_FINDING_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/x509/severity.h"
#include "hsm/base/bytes.h"

namespace ceremony::x509 {

// rule_id.h defines RuleId; only files that name a rule include it.
enum class RuleId : std::uint8_t;

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
