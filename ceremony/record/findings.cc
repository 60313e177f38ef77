#include "ceremony/record/findings.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace ceremony::record {

void Findings::Add(std::string_view rule, std::optional<std::uint64_t> entry, std::string message, std::string path) {
  const Rule* const found = FindRule(rule);
  if (found == nullptr) {
    std::fprintf(stderr, "keyceremony: bug: no rule %.*s\n", static_cast<int>(rule.size()), rule.data());
    std::abort();
  }
  worst_ = std::max(worst_, found->severity);
  if (list_.size() < kMaxFindings) {
    list_.push_back({std::string(rule), entry, std::move(message), std::move(path)});
  } else {
    ++more_;
  }
}

Verdict Findings::verdict() const {
  switch (worst_) {
    case Severity::kNotice:
      return Verdict::kComplete;
    case Severity::kUnpinned:
      return Verdict::kUnpinned;
    case Severity::kIncomplete:
      return Verdict::kIncomplete;
    case Severity::kFork:
      return Verdict::kFork;
    case Severity::kInvalid:
      break;
  }
  return Verdict::kInvalid;
}

bool Findings::Has(std::string_view rule) const {
  return std::any_of(list_.begin(), list_.end(), [&](const Finding& finding) { return finding.rule == rule; });
}

}  // namespace ceremony::record
