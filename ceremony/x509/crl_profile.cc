#include "ceremony/x509/crl_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ceremony/x509/rule_id.h"

namespace ceremony::x509 {
namespace {

constexpr std::array<RevocationReasonFacts, 10> kReasons = {{
    {RevocationReason::kUnspecified, "unspecified"},
    {RevocationReason::kKeyCompromise, "keyCompromise"},
    {RevocationReason::kCaCompromise, "cACompromise"},
    {RevocationReason::kAffiliationChanged, "affiliationChanged"},
    {RevocationReason::kSuperseded, "superseded"},
    {RevocationReason::kCessationOfOperation, "cessationOfOperation"},
    {RevocationReason::kCertificateHold, "certificateHold"},
    {RevocationReason::kRemoveFromCrl, "removeFromCRL"},
    {RevocationReason::kPrivilegeWithdrawn, "privilegeWithdrawn"},
    {RevocationReason::kAaCompromise, "aACompromise"},
}};

bool IsVisibleAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

std::span<const RevocationReasonFacts> RevocationReasons() { return kReasons; }

std::string RevocationReasonName(std::uint32_t reason) {
  for (const RevocationReasonFacts& facts : kReasons) {
    if (static_cast<std::uint32_t>(facts.reason) == reason) return std::string(facts.name);
  }
  return fmt::format("reason {}", reason);
}

std::optional<RevocationReason> FindRevocationReason(std::string_view name) {
  for (const RevocationReasonFacts& facts : kReasons) {
    if (facts.name == name) return facts.reason;
  }
  return std::nullopt;
}

std::string CrlIntervalText(const CrlInterval& interval) {
  std::string text;
  const auto add = [&](unsigned count, const char* unit) {
    if (count != 0) text += fmt::format("{}{} {}{}", text.empty() ? "" : " ", count, unit, count == 1 ? "" : "s");
  };
  add(interval.years, "year");
  add(interval.months, "month");
  add(interval.days, "day");
  add(interval.hours, "hour");
  return text.empty() ? "nothing" : text;
}

std::string_view CrlScopeName(CrlScope scope) {
  switch (scope) {
    case CrlScope::kAll:
      return "all";
    case CrlScope::kUserCertificates:
      return "user-certificates";
    case CrlScope::kCaCertificates:
      return "ca-certificates";
  }
  return "";
}

bool CrlProfile::Lists(bool ca) const {
  const CrlScope scope = issuing_distribution_point ? issuing_distribution_point->scope : CrlScope::kAll;
  return scope == CrlScope::kAll || ca == (scope == CrlScope::kCaCertificates);
}

std::vector<Finding> CheckCrlProfile(const CrlProfile& profile) {
  Findings findings({});
  const auto add = [&](RuleId rule, const std::string& message) {
    findings.Add(rule, nullptr, fmt::format("profile {}: {}", profile.name, message));
  };
  const CrlInterval& interval = profile.next_update;
  if (interval.years == 0 && interval.months == 0 && interval.days == 0 && interval.hours == 0)
    add(RuleId::kProfile14, "the next update comes at once");
  if (profile.key_algorithms.empty()) add(RuleId::kProfile09, "no key algorithm is allowed");
  for (const base::KeyAlgorithm key : profile.key_algorithms) {
    if (!Fits(profile.signature_algorithm, key)) {
      add(RuleId::kProfile04, fmt::format("an {} key cannot sign with {}", base::FactsOf(key).title,
                                          FactsOf(profile.signature_algorithm).name));
    }
  }
  if (const auto& point = profile.issuing_distribution_point) {
    if (point->scope == CrlScope::kAll && point->uri.empty())
      add(RuleId::kProfile14, "issuingDistributionPoint says nothing");
    if (!IsVisibleAscii(point->uri))
      add(RuleId::kProfile14, fmt::format("the distribution point \"{}\" is no URI", point->uri));
  }
  const auto has = [&](RevocationReason reason) {
    return std::find(profile.reasons.begin(), profile.reasons.end(), reason) != profile.reasons.end();
  };
  if (profile.reason == Use::kRequired && profile.reasons.empty())
    add(RuleId::kProfile14, "an entry must give a reason, and none is allowed");
  if (profile.reason == Use::kForbidden && !profile.reasons.empty())
    add(RuleId::kProfile14, "an entry gives no reason, and some are allowed");
  if (has(RevocationReason::kUnspecified))
    add(RuleId::kProfile14, "the reason unspecified is to give none: leave it out and make the reason optional");
  if (has(RevocationReason::kRemoveFromCrl)) add(RuleId::kProfile14, "removeFromCRL stands in delta CRLs only");
  return std::move(findings).Take();
}

std::vector<Finding> CheckCrlProfileAgainst(const CrlProfile& profile, const Profile& issuer) {
  Findings findings({});
  const auto add = [&](RuleId rule, const std::string& message) {
    findings.Add(rule, nullptr, fmt::format("profile {} under {}: {}", profile.name, issuer.name, message));
  };
  bool signs = false;
  bool has_key_id = false;
  for (const ExtensionRule& rule : issuer.extensions) {
    if (const auto* usage = std::get_if<KeyUsageRule>(&rule.value)) signs = (usage->bits & kCrlSign) != 0;
    has_key_id = has_key_id || std::holds_alternative<SubjectKeyIdentifierRule>(rule.value);
  }
  if (!signs) add(RuleId::kProfile12, "the issuer's keyUsage has no cRLSign");
  if (!has_key_id) add(RuleId::kProfile15, "the issuer has no subjectKeyIdentifier");
  if (std::none_of(issuer.key_algorithms.begin(), issuer.key_algorithms.end(),
                   [&](base::KeyAlgorithm key) { return Fits(profile.signature_algorithm, key); })) {
    add(RuleId::kProfile13,
        fmt::format("no key that the issuer may have makes {}", FactsOf(profile.signature_algorithm).name));
  }
  return std::move(findings).Take();
}

}  // namespace ceremony::x509
