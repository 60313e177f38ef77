#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ceremony/script/crl_profile.h"
#include "ceremony/steps/certificate_order.h"
#include "ceremony/steps/crl_order.h"
#include "ceremony/steps/policy_rules.h"
#include "ceremony/steps/signing_key.h"
#include "ceremony/x509/crl.h"
#include "ceremony/x509/trial.h"
#include "hsm/base/public_key.h"

namespace ceremony::steps {
namespace {

constexpr unsigned kSeconds = 120;  // reading the comparison takes most of it
constexpr std::int64_t kSecondsPerHour = 3'600;
constexpr std::int64_t kSecondsPerDay = 86'400;

const estate::Certificate* CheckIssuer(const CrlOrder& order, PlanContext& plan) {
  const estate::Certificate* issuer = plan.estate().FindCertificate(order.issuer);
  if (issuer == nullptr) {
    plan.Breach("PLAN-CRL-01", "issuer", fmt::format("by this step there is no certificate {}", order.issuer),
                "put the step that makes it before, correct the name, or give the archive with --archive");
    return nullptr;
  }
  // Of an issuer that this script makes, its profile is judged (PROFILE-12).
  if (ProfileOfPlanned(*issuer, plan.inputs()) != nullptr) return issuer;
  // Records of 0.1.0 do not say what a certificate is for.
  if (!issuer->spki_sha256.empty() || issuer->ca || !issuer->key_usage.empty()) {
    if (!issuer->ca || issuer->key_usage.find("cRLSign") == std::string::npos) {
      plan.Breach("PLAN-CRL-01", "issuer",
                  fmt::format("certificate {} is not of a CA that signs CRLs ({}, key usage {})", issuer->name,
                              issuer->ca ? "CA" : "not a CA", issuer->key_usage.empty() ? "none" : issuer->key_usage),
                  "name the certificate of the CA whose list it is");
    }
  }
  return issuer;
}

void CheckProfile(const x509::CrlProfile& profile, const estate::Key& key, PlanContext& plan) {
  const base::KeyAlgorithmFacts* algorithm = base::FindKeyAlgorithm(key.algorithm);
  const auto& allowed = profile.key_algorithms;
  if (algorithm != nullptr && (std::find(allowed.begin(), allowed.end(), algorithm->algorithm) == allowed.end() ||
                               !x509::Fits(profile.signature_algorithm, algorithm->algorithm))) {
    plan.Breach("PLAN-CRL-02", "profile",
                fmt::format("key {} is {}, with which profile {} makes no {} signatures", key.name, algorithm->title,
                            profile.name, x509::FactsOf(profile.signature_algorithm).name),
                "choose the profile that goes with the CA's key");
  }
  const script::CrlPolicy& policy = plan.inputs().policy.crl;
  const bool authorities = profile.issuing_distribution_point &&
                           profile.issuing_distribution_point->scope == x509::CrlScope::kCaCertificates;
  const std::int64_t most = authorities ? policy.arl_days * kSecondsPerDay : policy.crl_hours * kSecondsPerHour;
  const auto next = x509::NextUpdateOf(profile.next_update, 0);
  if (most == 0 || !next.ok() || *next <= most) return;
  plan.Breach("PLAN-CRL-06", "profile",
              fmt::format("profile {} promises the next list after {}, the policy wants it within {} {}", profile.name,
                          x509::CrlIntervalText(profile.next_update), authorities ? policy.arl_days : policy.crl_hours,
                          authorities ? "days" : "hours"),
              "shorten the profile's interval, or have the policy changed");
}

void CheckRevocation(const CrlOrder::Revoke& revoke, const estate::Certificate& issuer, const x509::CrlProfile& profile,
                     PlanContext& plan) {
  const estate::Certificate* certificate = plan.estate().FindCertificate(revoke.certificate);
  if (certificate == nullptr) return;  // EST-CERT-03 says so
  if (!IsOnCrl(*certificate, issuer, plan.estate())) {
    plan.Breach("PLAN-CRL-03", "revoke",
                fmt::format("certificate {} was signed by key {}, not by the CA {}", certificate->name,
                            certificate->issuer_key, issuer.name),
                "a CA revokes what it has issued (RFC 5280 5.3): put it on its own issuer's list");
  }
  if (!profile.Lists(certificate->ca)) {
    plan.Breach("PLAN-CRL-04", "revoke",
                fmt::format("certificate {} is {}of a CA, and profile {} lists {}", certificate->name,
                            certificate->ca ? "" : "not ", profile.name,
                            x509::CrlScopeName(profile.issuing_distribution_point->scope)),
                "choose a profile whose list is about such certificates");
  }
  const auto reason = x509::FindRevocationReason(revoke.reason);
  const auto& reasons = profile.reasons;
  if (reason && std::find(reasons.begin(), reasons.end(), *reason) == reasons.end()) {
    plan.Breach("PLAN-CRL-05", "revoke",
                fmt::format("certificate {} is revoked for {}, which profile {} does not allow", certificate->name,
                            revoke.reason, profile.name),
                "give one of the profile's reasons");
  }
}

void CheckTrial(const CrlOrder& order, const x509::CrlProfile& profile, const estate::Certificate& issuer,
                PlanContext& plan) {
  std::vector<std::optional<x509::RevocationReason>> reasons;
  for (const CrlOrder::Revoke& revoke : order.revoke) {
    const auto reason = x509::FindRevocationReason(revoke.reason);
    const bool is_allowed = reason && std::ranges::find(profile.reasons, *reason) != profile.reasons.end();
    if (is_allowed || profile.reason != x509::Use::kRequired)
      reasons.push_back(is_allowed ? reason : std::nullopt);  // PLAN-CRL-05 speaks of the others
  }
  ReportTrial(x509::TryCrl(profile, SubjectDerOf(issuer), reasons), plan);
}

}  // namespace

base::Result<x509::CrlProfile> CrlProfileOf(const CrlOrder& order, const script::Inputs& inputs) {
  KC_ASSIGN_OR_RETURN(script::CrlProfileFile read, script::ParseCrlProfile(inputs.documents.at(order.profile)));
  return std::move(read).profile;
}

std::int64_t NumberOf(const CrlOrder& order, const estate::Estate& estate) {
  if (order.number != 0) return order.number;
  const estate::Certificate* issuer = estate.FindCertificate(order.issuer);
  const estate::Crl* last = issuer == nullptr ? nullptr : estate.FindLastCrl(issuer->subject_der);
  return last == nullptr ? 1 : last->number + 1;
}

bool IsOnCrl(const estate::Certificate& certificate, const estate::Certificate& issuer, const estate::Estate& estate) {
  if (certificate.issuer_key == issuer.key) return true;
  const estate::Certificate* own = estate.FindCertificate(certificate.issuer_certificate);
  return own != nullptr && !own->subject_der.empty() && own->subject_der == issuer.subject_der;
}

void CheckCrl(const CrlOrder& order, PlanContext& plan) {
  plan.NeedsCommissionedToken(order.token);
  plan.Takes(kSeconds);
  for (const auto& name : {CrlTbs(order.crl), CrlDer(order.crl), CrlPem(order.crl)}) plan.Writes("artefacts/" + name);
  const auto read = CrlProfileOf(order, plan.inputs());
  if (!read.ok()) {
    plan.Breach(read.error().rule.empty() ? "INPUT-05" : read.error().rule, "profile", read.error().message,
                "name a CRL profile: keyceremony schema crl-profile says what it looks like");
    return;
  }
  const x509::CrlProfile& profile = *read;
  CheckCrlSignature(profile, plan);
  const estate::Certificate* issuer = CheckIssuer(order, plan);
  if (issuer == nullptr) return;
  const estate::Key* key = CheckSigningKey(order.issuer_key, order.token, "issuer", plan);
  if (key == nullptr) return;
  if (const x509::Profile* above = ProfileOfPlanned(*issuer, plan.inputs())) {
    const auto findings = x509::CheckCrlProfileAgainst(profile, *above);
    for (const x509::Finding& finding : findings) ReportContradiction(finding, plan);
    if (!findings.empty()) return;
  }
  CheckProfile(profile, *key, plan);
  CheckTrial(order, profile, *issuer, plan);

  estate::CrlIssued effect;
  effect.crl = order.crl;
  effect.profile = profile.name;
  effect.issuer_key = order.issuer_key;
  effect.issuer = issuer->subject;
  effect.issuer_der = issuer->subject_der;
  effect.issuer_certificate = order.issuer;
  effect.number = NumberOf(order, plan.estate());
  effect.artefact = CrlDer(order.crl);
  for (const CrlOrder::Revoke& revoke : order.revoke) {
    CheckRevocation(revoke, *issuer, profile, plan);
    plan.Plans(estate::CertificateRevoked{revoke.certificate, revoke.reason, revoke.on, order.crl});
    issuer = plan.estate().FindCertificate(order.issuer);
  }
  plan.Plans(effect);
}

}  // namespace ceremony::steps
