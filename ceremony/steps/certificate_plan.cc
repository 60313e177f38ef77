#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "ceremony/steps/certificate_facts.h"
#include "ceremony/steps/certificate_order.h"
#include "ceremony/steps/signing_key.h"
#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/certificate_facts.h"
#include "ceremony/x509/extension_value.h"
#include "ceremony/x509/rule_id.h"
#include "ceremony/x509/signature_algorithm.h"
#include "ceremony/x509/trial.h"
#include "hsm/base/encoding.h"

namespace ceremony::steps {
namespace {

constexpr unsigned kSeconds = 120;  // reading the comparison takes most of it
constexpr std::int64_t kNoLimit = -1;

// How many CAs may still stand below a certificate, by every path length above
// (RFC 5280 section 4.2.1.9).
std::int64_t CasBelow(const estate::Certificate& issuer, const estate::Estate& estate) {
  std::int64_t limit = kNoLimit;
  std::int64_t depth = 0;
  for (const estate::Certificate* above = &issuer; above != nullptr; above = IssuerOf(*above, estate), ++depth) {
    if (above->path_length < 0) continue;
    const std::int64_t left = std::max<std::int64_t>(0, above->path_length - depth);
    limit = limit == kNoLimit ? left : std::min(limit, left);
  }
  return limit;
}

void CheckPathLength(const estate::CertificateIssued& planned, const estate::Certificate& issuer, PlanContext& plan) {
  const std::int64_t below = CasBelow(issuer, plan.estate());
  if (!planned.ca || below == kNoLimit || (below > 0 && planned.path_length < below)) return;
  plan.Breach("PLAN-CERT-04", "issuer",
              below == 0 ? fmt::format("certificate {} is of a CA, and below {} there may be none", planned.certificate,
                                       issuer.name)
                         : fmt::format("certificate {} has the path length {}, below {} it is at most {}",
                                       planned.certificate, planned.path_length, issuer.name, below - 1),
              "choose another issuer, or a profile with a shorter path");
}

// Reports where the profile contradicts that of an issuer which this script makes.
std::set<x509::RuleId> CheckAgainstIssuer(const x509::Profile& profile, const estate::Certificate& issuer,
                                          PlanContext& plan) {
  std::set<x509::RuleId> broken;
  const x509::Profile* above = ProfileOfPlanned(issuer, plan.inputs());
  if (above == nullptr) return broken;
  for (const x509::Finding& finding : x509::CheckProfileAgainst(profile, *above)) {
    ReportContradiction(finding, plan);
    broken.insert(finding.rule);
  }
  return broken;
}

// Compares ends as far as they are known at the desk: an issuer that this
// script makes has the dates of its profile.
void CheckValidity(const x509::Profile& profile, const estate::Certificate& issuer, PlanContext& plan) {
  // Nothing begins before what the archive has seen last.
  std::int64_t begins = 0;
  for (const estate::Certificate& known : plan.estate().certificates())
    begins = std::max(begins, x509::SecondsOf(known.since.time).value_or(0));
  std::int64_t ends = 0;
  if (!issuer.not_after.empty()) {
    begins = std::max(begins, x509::SecondsOf(issuer.not_before).value_or(0));
    ends = x509::SecondsOf(issuer.not_after).value_or(0);
  } else {
    const x509::Profile* made = ProfileOfPlanned(issuer, plan.inputs());
    if (made == nullptr) return;
    const bool made_lasts = std::holds_alternative<x509::RelativeValidity>(made->validity);
    // Whether a date is before the end of a span that begins in the room, the room will say (CERT-NEST-01).
    if (made_lasts && std::holds_alternative<x509::FixedValidity>(profile.validity)) return;
    const auto period = x509::PeriodOf(made->validity, begins);
    if (!period.ok()) return;
    begins = std::max(begins, period->not_before);
    ends = period->not_after;
    // The subject's begins later than its issuer's, so the same span ends too late.
    if (made_lasts && std::holds_alternative<x509::RelativeValidity>(profile.validity)) ++begins;
  }
  const auto own = x509::PeriodOf(profile.validity, begins);
  if (!own.ok() || own->not_after <= ends) return;
  plan.Breach("PLAN-CERT-05", "profile",
              fmt::format("certificates of profile {} are valid until {}, their issuer {} only until {}", profile.name,
                          x509::ReadableTime(own->not_after), issuer.name, x509::ReadableTime(ends)),
              "shorten the profile's validity, or renew the issuer first");
}

const estate::Certificate* CheckIssuer(const CertificateOrder& order, PlanContext& plan) {
  const estate::Certificate* issuer = plan.estate().FindCertificate(order.issuer);
  if (issuer == nullptr) {
    plan.Breach("PLAN-CERT-01", "issuer", fmt::format("by this step there is no certificate {}", order.issuer),
                "put the step that makes it before, correct the name, or give the archive with --archive");
    return nullptr;
  }
  // Of an issuer that this script makes, its profile is judged (PROFILE-12).
  if (ProfileOfPlanned(*issuer, plan.inputs()) == nullptr &&
      (!issuer->ca || issuer->key_usage.find("keyCertSign") == std::string::npos)) {
    plan.Breach("PLAN-CERT-02", "issuer",
                fmt::format("certificate {} is not of a CA that signs certificates ({}, key usage {})", issuer->name,
                            issuer->ca ? "CA" : "not a CA", issuer->key_usage.empty() ? "none" : issuer->key_usage),
                "name the certificate of the issuing CA");
  }
  for (const estate::Certificate* above = issuer; above != nullptr; above = IssuerOf(*above, plan.estate())) {
    if (!above->revoked()) continue;
    plan.Breach("PLAN-CERT-03", "issuer",
                fmt::format("certificate {} is revoked by CRL {} ({})", above->name, above->revoked_by,
                            above->revocation_reason),
                "issue from a CA that is in good standing");
  }
  if (issuer->key == order.subject_key) {
    plan.Breach("PLAN-CERT-06", "key",
                fmt::format("key {} would certify itself under its own name {}", order.subject_key, issuer->subject),
                "cert.self-sign makes a root's certificate");
  }
  return issuer;
}

void CheckSubjectKey(const CertificateOrder& order, const x509::Profile& profile, PlanContext& plan) {
  const estate::Key* key = plan.estate().FindKey(order.subject_key);
  if (key == nullptr) {
    // Of a self-signed certificate it is the signing key, which is reported there.
    if (order.subject_key != order.issuer_key) {
      plan.Breach("PLAN-KEY-02", "key", fmt::format("by this step nobody has made a key {}", order.subject_key),
                  "put a key.generate or csr.import step before it, or correct the name");
    }
    return;
  }
  CheckKeyOfProfile(*key, profile, plan);
}

void CheckSignature(const estate::Key& issuer, const x509::Profile& profile, PlanContext& plan) {
  const base::KeyAlgorithmFacts* algorithm = base::FindKeyAlgorithm(issuer.algorithm);
  if (algorithm == nullptr || x509::Fits(profile.signature_algorithm, algorithm->algorithm)) return;
  plan.Breach("PLAN-PROFILE-03", "profile",
              fmt::format("key {} is {}, which makes no {} signatures as profile {} asks for", issuer.name,
                          algorithm->title, x509::FactsOf(profile.signature_algorithm).name, profile.name),
              "choose a profile whose signature is that of its issuer's key");
}

// A cross-certificate repeats a name byte by byte (RFC 5280 section 7.1 lets chains be built by bytes).
void CheckLike(const CertificateOrder& order, const base::Bytes& subject, PlanContext& plan) {
  const estate::Certificate* other = plan.estate().FindCertificate(order.like);
  if (other == nullptr || other->subject_der.empty() || other->subject_der == base::Base64Encode(subject)) return;
  plan.Breach("PLAN-CERT-07", "profile",
              fmt::format("the profile makes the subject {}, certificate {} has {}", x509::NameText(subject),
                          other->name, other->subject),
              "choose a profile that spells the same name with the same string types");
}

// Values that extensions take from the script are held to the profile at the desk; true when they fit.
bool CheckGiven(const CertificateOrder& order, const x509::Profile& profile, PlanContext& plan) {
  const auto given = x509::CheckOpenValues(profile, order.extensions, order.alternative_names);
  if (!given.ok()) {
    plan.Breach(given.error().rule, order.alternative_names.empty() ? "profile" : "alternative_names",
                given.error().message, given.error().hint);
  }
  const estate::Key* key = plan.estate().FindKey(order.subject_key);
  if (key == nullptr || key->owner.alternative_name_der.empty()) return given.ok();
  const auto asked = base::Base64Decode(key->owner.alternative_name_der);
  const auto names =
      asked.ok() ? x509::AlternativeNamesOf(profile, *asked) : base::Result<x509::AlternativeNames>(asked.error());
  if (names.ok() && *names == order.alternative_names) return given.ok();
  plan.Breach("PLAN-CERT-08", "alternative_names",
              fmt::format("the request of key {} asks for the alternative names \"{}\", the certificate would have "
                          "\"{}\"",
                          key->name, key->owner.alternative_name, NamesText(profile, order.alternative_names)),
              "leave \"alternative_names\" out, choose the profile that was imported for, or have a new request made");
  return given.ok();
}

}  // namespace

std::string NamesText(const x509::Profile& profile, const x509::AlternativeNames& names) {
  for (const x509::ExtensionRule& rule : profile.extensions) {
    if (std::holds_alternative<x509::SubjectAltNameRule>(rule.value))
      return x509::RuleText(profile, rule, {{}, nullptr, nullptr, &names}).value_or("");
  }
  return "";
}

const x509::Profile* ProfileOfPlanned(const estate::Certificate& certificate, const script::Inputs& inputs) {
  if (!certificate.serial.empty()) return nullptr;  // it is in the archive, made from the profile of its time
  const auto made = std::find_if(inputs.profiles.begin(), inputs.profiles.end(),
                                 [&](const auto& item) { return item.second.profile.name == certificate.profile; });
  return made == inputs.profiles.end() ? nullptr : &made->second.profile;
}

void ReportContradiction(const x509::Finding& finding, PlanContext& plan) {
  plan.Breach(std::string(finding.facts().id), "profile", finding.message,
              fmt::format("{}: {}", finding.facts().clause, finding.facts().title));
}

base::Bytes SubjectDerOf(const estate::Certificate& certificate) {
  auto der = base::Base64Decode(certificate.subject_der);
  return der.ok() ? std::move(der).value() : base::Bytes();
}

void ReportTrial(const base::Result<void>& tried, PlanContext& plan) {
  if (tried.ok()) return;
  const base::Error& error = tried.error();
  plan.Breach(error.rule.empty() ? "PLAN-PROFILE-04" : error.rule, "profile",
              "the room would refuse it: " + error.message,
              error.hint.empty() ? "correct the profile, or the values that the step gives it" : error.hint);
}

base::KeyAlgorithm TrialAlgorithm(const estate::Key* key, const std::vector<base::KeyAlgorithm>& allowed) {
  const base::KeyAlgorithmFacts* known = key == nullptr ? nullptr : base::FindKeyAlgorithm(key->algorithm);
  const bool fits = known != nullptr && std::ranges::find(allowed, known->algorithm) != allowed.end();
  return fits ? known->algorithm : allowed.front();
}

void CheckKeyOfProfile(const estate::Key& key, const x509::Profile& profile, PlanContext& plan) {
  const base::KeyAlgorithmFacts* algorithm = base::FindKeyAlgorithm(key.algorithm);
  const auto& allowed = profile.key_algorithms;
  if (algorithm == nullptr || std::find(allowed.begin(), allowed.end(), algorithm->algorithm) != allowed.end()) return;
  plan.Breach("PLAN-PROFILE-02", "key",
              fmt::format("key {} is {}, which profile {} does not allow", key.name, algorithm->title, profile.name),
              "generate the key with an algorithm of the profile");
}

namespace {

void CheckSelfSigned(const x509::Profile& profile, bool self_signed, PlanContext& plan) {
  if (profile.self_signed == self_signed) return;
  plan.Breach("PLAN-PROFILE-01", "profile",
              fmt::format("profile {} is {}of a self-signed certificate", profile.name, self_signed ? "not " : ""),
              self_signed ? "choose the profile of a root" : "choose the profile of a certificate below a CA");
}

// What the certificate will be, but for its subject.
estate::CertificateIssued EffectOf(const CertificateOrder& order, const x509::Profile& profile) {
  estate::CertificateIssued effect;
  effect.certificate = order.certificate;
  effect.alternative_name = NamesText(profile, order.alternative_names);
  effect.profile = profile.name;
  effect.key = order.subject_key;
  effect.issuer_key = order.issuer_key;
  effect.issuer_certificate = order.issuer.empty() ? order.certificate : order.issuer;
  effect.artefact = CertificateDer(order.certificate);
  TakeFacts(profile, effect);
  return effect;
}

}  // namespace

void CheckOrder(const CertificateOrder& order, PlanContext& plan) {
  plan.NeedsCommissionedToken(order.token);
  plan.Takes(kSeconds);
  for (const auto& name :
       {CertificateTbs(order.certificate), CertificateDer(order.certificate), CertificatePem(order.certificate)})
    plan.Writes("artefacts/" + name);
  const script::ProfileFile* file = plan.inputs().FindProfile(order.profile);
  if (file == nullptr) return;  // the script reader has refused it
  const x509::Profile& profile = file->profile;
  const bool self_signed = order.issuer.empty();
  CheckSelfSigned(profile, self_signed, plan);
  estate::CertificateIssued effect = EffectOf(order, profile);
  const auto subject = x509::BuildName(profile, order.subject);
  if (subject.ok()) {
    effect.subject = x509::NameText(*subject);
    effect.subject_der = base::Base64Encode(*subject);
    if (!order.like.empty()) CheckLike(order, *subject, plan);
  } else {
    plan.Breach(subject.error().rule, "subject", subject.error().message, subject.error().hint);
  }
  const bool fits = CheckGiven(order, profile, plan);
  x509::TrialOrder trial{TrialAlgorithm(plan.estate().FindKey(order.subject_key), profile.key_algorithms),
                         {},
                         order.subject,
                         order.extensions,
                         order.alternative_names};
  std::set<x509::RuleId> broken;
  if (!self_signed) {
    const estate::Certificate* issuer = CheckIssuer(order, plan);
    if (issuer == nullptr) return;
    trial.issuer_name = SubjectDerOf(*issuer);
    broken = CheckAgainstIssuer(profile, *issuer, plan);
    if (!broken.contains(x509::RuleId::kProfile10)) CheckPathLength(effect, *issuer, plan);
    if (!broken.contains(x509::RuleId::kProfile11)) CheckValidity(profile, *issuer, plan);
  }
  if (subject.ok() && fits) ReportTrial(x509::TryCertificate(profile, trial), plan);
  CheckSubjectKey(order, profile, plan);
  const estate::Key* signing = CheckSigningKey(order.issuer_key, order.token, self_signed ? "key" : "issuer", plan);
  if (signing == nullptr) return;
  if (!broken.contains(x509::RuleId::kProfile13)) CheckSignature(*signing, profile, plan);
  if (plan.estate().FindKey(order.subject_key) != nullptr) plan.Plans(effect);
}

}  // namespace ceremony::steps
