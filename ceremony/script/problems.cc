#include "ceremony/script/problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace ceremony::script {
namespace {

constexpr std::array kRules{
    InputRule{kRuleUnknown, "every field is a known one"},
    InputRule{kRuleTwice, "no name is given twice in one object"},
    InputRule{kRuleMissing, "every required field is given"},
    InputRule{kRuleType, "every value is of the type that its field wants"},
    InputRule{kRuleValue, "every value is one that its field allows"},
    InputRule{kRuleSize, "files, nesting and numbers of values stay within their limits"},
    InputRule{kRuleSyntax, "files are UTF-8 and JSON, nothing before it and nothing after it"},
    InputRule{kRuleFile, "files are there, regular and readable"},
    InputRule{kRuleReference, "every name that is used is defined, and every name that is defined is used"},
    InputRule{kRulePath, "files that a file names stand in or below its folder"},
    InputRule{kRuleSecret, "no secret stands in a file"},
    InputRule{kRuleSameName, "names that must tell things apart are different"},
    InputRule{kRuleFormat, "a file is of the kind and version that is read"},
    InputRule{kRuleContradiction, "the values of a file do not contradict each other"},
};

// Optimal string alignment distance: a swap of neighbours, the commonest slip of
// a typing hand, counts one.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, current);
  }
  return last[b.size()];
}

bool IsBefore(const Position& a, const Position& b) { return a.line != b.line ? a.line < b.line : a.column < b.column; }

}  // namespace

std::span<const InputRule> InputRules() { return kRules; }

std::string Problem::Line() const {
  std::string line = file;
  if (position.line != 0) line += fmt::format(":{}:{}", position.line, position.column);
  line += ": ";
  if (!pointer.empty()) line += pointer + ": ";
  return line + message;
}

void Problems::Add(Problem problem) {
  ++count_;
  auto place = list_.end();
  while (place != list_.begin()) {
    const Problem& before = *std::prev(place);
    if (before.file != problem.file || !IsBefore(problem.position, before.position)) break;
    --place;
  }
  list_.insert(place, std::move(problem));
  if (list_.size() > kMaxProblems) list_.pop_back();
}

base::Error Problems::ToError() const {
  base::Error error;
  error.code = base::ErrorCode::kInvalidInput;
  if (list_.empty()) {
    error.code = base::ErrorCode::kInternal;
    error.message = "an error was made of no problems";
    return error;
  }
  error.rule = list_.front().rule;
  if (count_ == 1) {
    error.message = list_.front().Line();
    error.hint = list_.front().hint;
    return error;
  }
  for (const Problem& problem : list_) {
    if (!error.message.empty()) error.message += '\n';
    error.message += problem.Line();
    if (!problem.hint.empty()) error.message += " (" + problem.hint + ")";
    // That of the first line is the error's own.
    if (&problem != &list_.front()) error.message += " [" + problem.rule + "]";
  }
  if (count_ > list_.size()) error.message += fmt::format("\nand {} more", count_ - list_.size());
  error.hint = fmt::format("{} problems; mend them all, then check again", count_);
  return error;
}

std::string NearestName(std::string_view found, const std::vector<std::string>& names) {
  constexpr std::size_t kLongest = 64;  // beyond it nobody mistyped one of our names
  std::string nearest;
  if (found.empty() || found.size() > kLongest) return nearest;
  std::size_t best = std::max<std::size_t>(1, found.size() / 3) + 1;
  for (const std::string& name : names) {
    if (name.size() > kLongest) continue;
    const std::size_t distance = EditDistance(found, name);
    if (distance < best) {
      best = distance;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace ceremony::script
