// The rules for records, in one table: the id that findings, tests and documents
// use, what breaking the rule means for the verdict, and a sentence that explains it.
#ifndef CEREMONY_RECORD_RULES_H_
#define CEREMONY_RECORD_RULES_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "ceremony/record/scanner.h"

namespace ceremony::record {

// Ascending: the worst finding decides the verdict.
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
// RuleOf returns the rule that a line with this fault breaks.
const Rule& RuleOf(LineFault fault);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_RULES_H_
