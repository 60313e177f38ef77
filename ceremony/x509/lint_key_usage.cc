#include <fmt/format.h>

#include "ceremony/x509/lint_parts.h"
#include "ceremony/x509/profile.h"

namespace ceremony::x509::lint {
namespace {

void UsageFitsKey(unsigned bits, const Element& element, const SpkiView& spki, Findings& findings) {
  const auto algorithm = FindOid(spki.algorithm.oid);
  unsigned wrong = 0;
  if (algorithm == Oid::kEcPublicKey) wrong = kKeyEncipherment | kDataEncipherment;
  if (algorithm == Oid::kEd25519 || algorithm == Oid::kEd448)
    wrong = kKeyEncipherment | kDataEncipherment | kKeyAgreement | kEncipherOnly | kDecipherOnly;
  if (algorithm == Oid::kRsaEncryption) wrong = kKeyAgreement | kEncipherOnly | kDecipherOnly;
  if ((bits & wrong) == 0) return;
  findings.Add(RuleId::kKeyUsage04, element.whole,
               fmt::format("keyUsage {} is nothing that a key of {} can do",
                           KeyUsageText(static_cast<std::uint16_t>(bits & wrong)), OidText(spki.algorithm.oid)));
}

}  // namespace

std::optional<std::uint16_t> LintKeyUsage(const ExtensionView& extension, const SpkiView& spki, Findings& findings) {
  DerReader reader(extension.value, "extension keyUsage", findings);
  const auto element = reader.Take(tag::kBitString, "value");
  const auto split = element ? BitStringOf(element->content) : std::nullopt;
  if (!split) return std::nullopt;
  // A named bit list ends with its last one bit; without one it has no octets.
  const bool ends_in_zero = !split->bits.empty() && (split->bits.back() & (1U << split->unused)) == 0;
  if (ends_in_zero || (split->bits.empty() && split->unused != 0)) {
    findings.Add(RuleId::kDerBitList01, element->whole,
                 fmt::format("keyUsage {} has trailing zero bits", HexExcerpt(element->content)));
  }
  unsigned bits = 0;
  bool unknown = false;
  for (std::size_t bit = 0; bit + split->unused < split->bits.size() * 8; ++bit) {
    if ((split->bits[bit / 8] & (0x80U >> (bit % 8))) == 0) continue;
    if (bit >= KeyUsageNames().size()) {
      unknown = true;
      break;
    }
    bits |= 1U << bit;
  }
  if (unknown) findings.Add(RuleId::kKeyUsage01, element->whole, "keyUsage sets a bit that has no meaning");
  if (bits == 0 && !unknown) findings.Add(RuleId::kKeyUsage01, element->whole, "keyUsage sets no bit");
  if (!extension.critical) findings.Add(RuleId::kKeyUsage03, extension.whole, "keyUsage is not critical");
  if ((bits & (kEncipherOnly | kDecipherOnly)) != 0 && (bits & kKeyAgreement) == 0) {
    findings.Add(RuleId::kKeyUsage05, element->whole, "encipherOnly or decipherOnly is set without keyAgreement");
  }
  UsageFitsKey(bits, *element, spki, findings);
  return static_cast<std::uint16_t>(bits);
}

}  // namespace ceremony::x509::lint
