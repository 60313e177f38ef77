#include "ceremony/x509/issue_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/curves.h"
#include "ceremony/x509/der_writer.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509::parts {
base::Result<void> CheckClean(const char* what, const std::vector<Finding>& findings) {
  return findings.empty() ? base::Result<void>() : base::Result<void>(RefusedBy(what, findings));
}

base::Error RefusedBy(const std::string& what, const std::vector<Finding>& findings) {
  std::string message = what;
  for (const Finding& finding : findings)
    message += fmt::format("{}{}", &finding == &findings.front() ? ": " : "; ", finding.Text());
  return base::Refusal(std::string(findings.front().facts().id), std::move(message));
}

base::Error Differs(RuleId rule, const std::string& what, const Comparison& comparison) {
  std::vector<Finding> findings = comparison.ToFindings();
  for (Finding& finding : findings) finding.rule = rule;
  return RefusedBy(what, findings);
}

base::Error Malformed(const char* what, const Findings& findings) {
  if (findings.empty()) return base::MakeError(base::ErrorCode::kInternal, std::string(what) + ": incomplete");
  const Finding& first = findings.list().front();
  return base::MakeError(base::ErrorCode::kCorrupt, std::string(what) + ": " + first.Text())
      .WithRule(std::string(first.facts().id));
}

base::Result<void> CheckApproved(const char* what, const base::Sha256Digest& approved,
                                 const base::Sha256Digest& actual) {
  if (actual == approved) return {};
  return base::Refusal("TBS-APPROVAL-01",
                       fmt::format("people approved the {} {}, this one is {}", what, base::HexEncode(approved),
                                   base::HexEncode(actual)),
                       "ask for approval of these bytes");
}

base::Result<void> CheckSignatureForm(const base::PublicKey& key, base::ByteView signature) {
  const std::optional<base::Curve> curve = base::FactsOf(key.algorithm()).curve;
  return curve ? base::CheckStrictLowSDer(*curve, signature) : base::Result<void>();
}

base::Result<void> CheckInside(const char* what, base::ByteView inside, base::ByteView approved) {
  if (std::ranges::equal(inside, approved)) return {};
  return base::MakeError(base::ErrorCode::kCorrupt,
                         fmt::format("the {} holds the to-be-signed part {}, approved was {}", what,
                                     base::Sha256Hex(inside), base::Sha256Hex(approved)));
}

base::Bytes Assemble(base::ByteView body, SignatureAlgorithm algorithm, base::ByteView signature) {
  DerWriter writer;
  writer.Nested(tag::kSequence, [&] {
    writer.Raw(body);
    writer.Raw(IdentifierOf(algorithm));
    writer.BitString(signature);
  });
  return std::move(writer).Take();
}

base::Result<void> Verify(const Signed& all, const base::PublicKey& key) {
  if (all.inner != nullptr && !std::ranges::equal(all.inner->whole, all.outer->whole)) {
    return base::MakeError(base::ErrorCode::kCorrupt,
                           fmt::format("signature algorithm is {} inside and {} outside",
                                       AlgorithmText(all.inner->whole), AlgorithmText(all.outer->whole)));
  }
  const SignatureAlgorithmFacts* facts = FindByIdentifier(all.outer->whole);
  if (facts == nullptr)
    return base::MakeError(base::ErrorCode::kUnsupported,
                           "signature algorithm " + AlgorithmText(all.outer->whole) + " is not known");
  if (!Fits(facts->algorithm, key.algorithm())) {
    return base::MakeError(base::ErrorCode::kCorrupt, fmt::format("an {} key does not make {} signatures",
                                                                  base::FactsOf(key.algorithm()).title, facts->name));
  }
  if (all.unused_bits != 0) return base::MakeError(base::ErrorCode::kCorrupt, "the signature is not whole octets");
  return key.Verify(facts->scheme, all.body, all.signature);
}

std::string AlgorithmText(base::ByteView identifier) {
  const SignatureAlgorithmFacts* facts = FindByIdentifier(identifier);
  return facts != nullptr ? std::string(facts->name) : base::HexEncode(identifier);
}

std::string TimeText(const TimeView& time) {
  return time.seconds ? ReadableTime(*time.seconds) : "malformed " + base::HexEncode(time.whole);
}

}  // namespace ceremony::x509::parts
