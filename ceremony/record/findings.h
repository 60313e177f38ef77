// Findings collects what a verification found and what it means.
#ifndef CEREMONY_RECORD_FINDINGS_H_
#define CEREMONY_RECORD_FINDINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/rules.h"
#include "ceremony/record/verify.h"

namespace ceremony::record {

class Findings final {
 public:
  // Add aborts for a rule id that is not in the table: that is a bug.
  void Add(std::string_view rule, std::optional<std::uint64_t> entry, std::string message, std::string path = {});

  Severity worst() const { return worst_; }
  Verdict verdict() const;
  const std::vector<Finding>& list() const { return list_; }
  std::uint64_t more() const { return more_; }  // beyond kMaxFindings
  bool Has(std::string_view rule) const;        // among those kept

 private:
  std::vector<Finding> list_;
  std::uint64_t more_ = 0;
  Severity worst_ = Severity::kNotice;
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_FINDINGS_H_
