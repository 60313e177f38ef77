#include "ceremony/x509/finding.h"

#include <fmt/format.h>

#include <algorithm>

namespace ceremony::x509 {

std::string_view SeverityName(Severity severity) {
  return severity == Severity::kBreach ? "breach" : "good-practice";
}

std::string Finding::Text() const {
  const Rule& rule_facts = facts();
  return fmt::format("{} {} at octet {}: {} ({})", rule_facts.id, SeverityName(rule_facts.severity), offset, message,
                     rule_facts.clause);
}

void Findings::Add(RuleId rule, const std::uint8_t* where, std::string message) {
  if (list_.size() > kMost) return;
  if (list_.size() == kMost) {
    rule = RuleId::kLint01;
    message = fmt::format("more than {} findings, the rest is not listed", kMost);
  }
  // Empty views may point anywhere; they count as the start of the file.
  const std::uint8_t* start = file_.data();
  const std::size_t offset = where == nullptr || where < start || where > start + file_.size()
                                 ? 0
                                 : static_cast<std::size_t>(where - start);
  list_.push_back({rule, offset, std::move(message)});
}

}  // namespace ceremony::x509
