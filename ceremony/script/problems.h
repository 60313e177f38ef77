// Problems collects everything that is wrong with an input file, so that its
// author can mend it in one go.
#ifndef CEREMONY_SCRIPT_PROBLEMS_H_
#define CEREMONY_SCRIPT_PROBLEMS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hsm/base/result.h"

namespace ceremony::script {

// Position in a file; both count from 1, columns count characters, not bytes.
// 0:0 when the problem is the file as a whole.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  bool operator==(const Position&) const = default;
};

// The rules of input files. Ids are stable: tests and documents name them.
struct InputRule {
  std::string_view id;
  std::string_view title;
};
inline constexpr std::string_view kRuleUnknown = "INPUT-01";
inline constexpr std::string_view kRuleTwice = "INPUT-02";
inline constexpr std::string_view kRuleMissing = "INPUT-03";
inline constexpr std::string_view kRuleType = "INPUT-04";
inline constexpr std::string_view kRuleValue = "INPUT-05";
inline constexpr std::string_view kRuleSize = "INPUT-06";
inline constexpr std::string_view kRuleSyntax = "INPUT-07";
inline constexpr std::string_view kRuleFile = "INPUT-08";
inline constexpr std::string_view kRuleReference = "INPUT-09";
inline constexpr std::string_view kRulePath = "INPUT-10";
inline constexpr std::string_view kRuleSecret = "INPUT-11";
inline constexpr std::string_view kRuleSameName = "INPUT-12";
inline constexpr std::string_view kRuleFormat = "INPUT-13";
inline constexpr std::string_view kRuleContradiction = "INPUT-14";
// InputRules lists them all, in order, each with its sentence.
std::span<const InputRule> InputRules();

struct Problem {
  std::string rule;
  std::string file;
  Position position;
  std::string pointer;  // RFC 6901; empty for the whole document
  std::string message;  // lower case, no full stop: "expected ..., found ..."
  std::string hint;     // "did you mean `token`?", or empty

  // Line is "file:line:column: /pointer: message".
  std::string Line() const;
};

// The problems of one file stand in the order of their places in it. At most
// kMaxProblems are kept; the rest is counted.
class Problems final {
 public:
  static constexpr std::size_t kMaxProblems = 50;

  void Add(Problem problem);
  bool empty() const { return list_.empty(); }
  const std::vector<Problem>& list() const { return list_; }
  std::size_t count() const { return count_; }

  // ToError makes one kInvalidInput error of them: the rule of the first, a line
  // for each (hints in brackets when there are several), how many were left out.
  // Call it only when not empty.
  base::Error ToError() const;

 private:
  std::vector<Problem> list_;
  std::size_t count_ = 0;
};

// NearestName returns the name with the smallest edit distance (insert, delete,
// change, swap of neighbours) to `found`. It returns "" if every distance is above
// a third of the length of `found` (at least one).
std::string NearestName(std::string_view found, const std::vector<std::string>& names);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_PROBLEMS_H_
