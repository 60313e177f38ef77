// Values under IMPLICIT tags: the walk over the bytes (CheckDer) sees no type
// there, so whoever knows the field holds it to DER.
#include <fmt/format.h>

#include "ceremony/x509/lint_parts.h"

namespace ceremony::x509::lint {

void LintImplicitFlag(const Element& field, Findings& findings) {
  if (field.content.size() != 1) {
    findings.Add(RuleId::kDerBoolean01, field.whole, fmt::format("BOOLEAN has {} octets", field.content.size()));
  } else if (field.content[0] == 0x00) {
    findings.Add(RuleId::kDerDefault01, field.whole, "FALSE is the default and must not be encoded");
  } else if (field.content[0] != 0xff) {
    findings.Add(RuleId::kDerBoolean02, field.whole,
                 fmt::format("BOOLEAN TRUE is {:02x} instead of ff", field.content[0]));
  }
}

void LintImplicitInteger(const Element& field, const char* what, Findings& findings) {
  const base::ByteView content = field.content;
  if (content.empty()) {
    findings.Add(RuleId::kDerInteger01, field.whole, fmt::format("{} has no octets", what));
  } else if (content.size() > 1 &&
             ((content[0] == 0x00 && (content[1] & 0x80U) == 0) || (content[0] == 0xff && (content[1] & 0x80U) != 0))) {
    findings.Add(RuleId::kDerInteger02, content,
                 fmt::format("{} begins with a redundant {:02x} before {:02x}", what, content[0], content[1]));
  }
}

void LintImplicitBitList(const Element& field, const char* what, Findings& findings) {
  const auto split = BitStringOf(field.content);
  if (!split || (split->bits.empty() && split->unused != 0)) {
    findings.Add(RuleId::kDerBitString01, field.whole, fmt::format("{} states more unused bits than it has", what));
    return;
  }
  if (split->bits.empty()) return;
  if ((split->bits.back() & ((1U << split->unused) - 1U)) != 0) {
    findings.Add(RuleId::kDerBitString02, field.whole,
                 fmt::format("the {} unused bits of {} are not zero", split->unused, what));
  } else if ((split->bits.back() & (1U << split->unused)) == 0) {
    findings.Add(RuleId::kDerBitList01, field.whole,
                 fmt::format("{} {} has trailing zero bits", what, HexExcerpt(field.content)));
  }
}

}  // namespace ceremony::x509::lint
