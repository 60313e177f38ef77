// The rules that a record is held against: one table with the id that stands
// in findings, tests and documents, what breaking it means for the verdict,
// and the sentence that explains it.
#ifndef CEREMONY_RECORD_RULES_H_
#define CEREMONY_RECORD_RULES_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "ceremony/record/scanner.h"

namespace ceremony::record {

// In the order of what prevails: the verdict is that of the worst finding.
enum class Severity : std::uint8_t {
  kNotice,      // worth reading; changes no verdict
  kUnpinned,    // good as far as the record itself goes
  kIncomplete,  // valid up to a point
  kFork,        // two signed histories
  kInvalid,     // something does not verify
};

struct Rule {
  std::string_view id;
  Severity severity;
  std::string_view sentence;
};

std::span<const Rule> Rules();
// FindRule returns nullptr for an id that is not in the table.
const Rule* FindRule(std::string_view id);
// RuleOf is the rule that a fault of a line breaks.
const Rule& RuleOf(LineFault fault);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_RULES_H_
