#include "ceremony/x509/finding.h"

#include <fmt/format.h>

#include "ceremony/x509/rule_id.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {

std::string Finding::Text() const {
  const Rule& rule_facts = facts();
  return fmt::format("{} {} at octet {}: {} ({})", rule_facts.id, SeverityName(rule_facts.severity), offset, message,
                     rule_facts.clause);
}

std::string HexExcerpt(base::ByteView bytes) {
  constexpr std::size_t kMostOctets = 40;
  if (bytes.size() <= kMostOctets) return base::HexEncode(bytes);
  return fmt::format("{}... ({} octets)", base::HexEncode(bytes.first(kMostOctets)), bytes.size());
}

void Findings::Add(RuleId rule, const std::uint8_t* where, std::string message) {
  if (list_.size() > kMost) return;
  if (list_.size() == kMost) {
    rule = RuleId::kLint01;
    message = fmt::format("more than {} findings, the rest is not listed", kMost);
  }
  if (message.size() > kLongest) message = message.substr(0, kLongest) + "...";
  // Empty views may point anywhere; they count as the start of the file.
  const std::uint8_t* start = file_.data();
  const std::size_t offset =
      where == nullptr || where < start || where > start + file_.size() ? 0 : static_cast<std::size_t>(where - start);
  list_.push_back({rule, offset, std::move(message)});
}

}  // namespace ceremony::x509
