// What `lint` prints: findings one by one as text, JSON or CSV, and their totals.
// Only counts are kept of a certificate.
#ifndef CEREMONY_CLI_LINT_OUTPUT_H_
#define CEREMONY_CLI_LINT_OUTPUT_H_

#include <array>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/x509/bulk_lint.h"
#include "ceremony/x509/finding.h"
#include "ceremony/x509/rule_id.h"

namespace ceremony::cli {

// LintTally counts. Issuers and months beyond kMostRows are counted together.
struct LintTally {
  static constexpr std::size_t kMostRows = 1000;
  struct Row {
    std::uint64_t certificates = 0;
    std::uint64_t findings = 0;
  };

  std::uint64_t certificates = 0;
  std::uint64_t crls = 0;
  std::uint64_t others = 0;
  std::uint64_t findings = 0;
  std::uint64_t with_findings = 0;  // items
  std::uint64_t unreadable = 0;     // files
  std::array<std::uint64_t, static_cast<std::size_t>(x509::RuleId::kCount)> by_rule{};
  std::map<std::string, Row> by_issuer;  // by its DER
  std::map<std::string, Row> by_month;   // "2026-03"
  Row other_issuers;
  Row other_months;

  void Add(const x509::BulkItem& item);

 private:
  Row& RowOf(std::map<std::string, Row>& rows, Row& others_row, std::string key);
};

enum class LintFormat : std::uint8_t { kText, kJson, kCsv };

// LintWriter writes one format. Begin, then Item and Unreadable in order, then End.
class LintWriter {
 public:
  virtual ~LintWriter() = default;
  virtual void Begin() {}
  // `file` is spelled for people; an item without findings leaves no trace.
  virtual void Item(const std::string& file, const x509::BulkItem& item) = 0;
  virtual void Unreadable(const std::string& file, const base::Error& error) = 0;
  // `set_rules`: whether the rules between certificates were applied.
  virtual void End(const LintTally& tally, std::size_t files, bool set_rules) = 0;
};
std::unique_ptr<LintWriter> MakeLintWriter(LintFormat format, std::ostream& out);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_LINT_OUTPUT_H_
