// What an issuer signed: chains and CRLs.
#include <fmt/format.h>

#include <algorithm>

#include "ceremony/record/log_audit.h"
#include "ceremony/verify/certificate_audit.h"
#include "ceremony/x509/lint_set.h"
#include "ceremony/x509/rule_id.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::verify {
namespace {

using record::Quoted;

constexpr std::size_t kMostCrlOctets = std::size_t{16} << 20;
constexpr std::size_t kLongestChain = 16;

bool MaySign(const x509::CertificateFacts& issuer, std::string_view usage) {
  return issuer.ca && issuer.key_usage.find(usage) != std::string::npos;
}

// A list whose profile is not at hand is taken to be about all.
bool Lists(const x509::CrlProfile* profile, bool ca) { return profile == nullptr || profile->Lists(ca); }

}  // namespace

void CertificateAudit::CheckSigner(const Look& look, const Known& issuer) const {
  if (const std::string key = look.Text("issuer_key"); key != issuer.key) {
    look.Find("CRT-KEY",
              fmt::format("was signed by key {}, and its issuer is certified for {}", Quoted(key), Quoted(issuer.key)));
  }
}

void CertificateAudit::CheckIssuer(const Look& look, const Known& known) {
  const bool self_signed = known.issuer.empty() || known.issuer == look.Text("certificate");
  const auto above = now_.certificates.find(known.issuer);
  if (!self_signed && above == now_.certificates.end()) return Elsewhere(look, known.issuer);
  const Known& issuer = self_signed ? known : *above->second;
  CheckSigner(look, issuer);
  const auto signer = issuer.certificate.SubjectKey();
  const auto verified = signer.ok() ? known.certificate.VerifiedBy(*signer) : base::Result<void>(signer.error());
  if (!verified.ok()) look.Find("CRT-SIGNATURE", "is not signed by its issuer: " + verified.error().message);
  if (!now_.serials.insert(issuer.facts.subject_der + " " + known.facts.serial).second)
    look.Find("CRT-SERIAL", "has the serial number " + known.facts.serial + ", which its issuer has used before");
  if (!self_signed) CheckChain(look, known, issuer);
}

void CertificateAudit::CheckChain(const Look& look, const Known& known, const Known& issuer) const {
  const std::string named = Quoted(known.issuer);
  if (!MaySign(issuer.facts, "keyCertSign")) look.Find("CRT-CHAIN", "has the issuer " + named + ", which is no CA");
  if (now_.dead.contains(known.issuer)) look.Find("CRT-CHAIN", "was issued by " + named + " after that was revoked");
  if (known.facts.not_before < issuer.facts.not_before || known.facts.not_after > issuer.facts.not_after) {
    look.Find("CRT-CHAIN", fmt::format("is valid from {} to {}, its issuer {} from {} to {}", known.facts.not_before,
                                       known.facts.not_after, named, issuer.facts.not_before, issuer.facts.not_after));
  }
  x509::CertificateSet set;
  std::vector<std::string> names{look.what};
  set.Add(known.certificate.view(), 0);
  std::string next = known.issuer;
  for (auto above = now_.certificates.find(next); above != now_.certificates.end() && names.size() < kLongestChain;
       above = now_.certificates.find(next)) {
    set.Add(above->second->certificate.view(), static_cast<std::uint32_t>(names.size()));
    names.push_back(Quoted(next));
    const std::string& issued_by = above->second->issuer;
    if (issued_by.empty() || issued_by == next) break;
    next = issued_by;
  }
  set.Seal();
  x509::Findings found(known.certificate.der());
  set.Check(
      known.certificate.view(), [&](std::uint32_t number) { return names[number]; }, found);
  for (const x509::Finding& finding : found.list()) {
    // Validity and signature are judged above, in words of their own.
    if (finding.rule == x509::RuleId::kSetTime01 || finding.rule == x509::RuleId::kSetSignature01) continue;
    look.Find("CRT-CHAIN", "breaks " + finding.Text());
  }
}

void CertificateAudit::OnCrl(const Look& look) {
  const std::optional<std::string> der = FileOf(look, "sha256", kMostCrlOctets);
  if (!der) {
    if (IsWithheld(look)) TakeAnnounced(look.Text("crl"));
    return;
  }
  const auto crl = x509::Crl::Parse(base::AsBytes(*der));
  if (!crl.ok()) return look.Find("CRT-FORM", "is none: " + crl.error().message);
  const x509::CrlProfile* profile = ProfileOf(look, &RecordedProfiles::FindCrl);
  CheckCrl(look, *crl, profile);
  CheckApproved(look, crl->tbs().whole);
  calls_.CheckSigned(look.step, look.what, base::Sha256Hex(crl->tbs().whole), look.findings);

  const std::string name = look.Text("issuer_certificate");
  const auto found = now_.certificates.find(name);
  if (found == now_.certificates.end()) return Elsewhere(look, name);
  const Known& issuer = *found->second;
  const x509::CertificateFacts& facts = issuer.facts;
  const auto signer = issuer.certificate.SubjectKey();
  const auto verified = signer.ok() ? crl->VerifiedBy(*signer) : base::Result<void>(signer.error());
  if (!verified.ok()) look.Find("CRT-SIGNATURE", "is not signed by its issuer: " + verified.error().message);
  CheckSigner(look, issuer);
  if (base::Base64Encode(crl->tbs().issuer) != facts.subject_der)
    look.Find("CRT-CHAIN", "has another issuer's name than " + Quoted(name));
  if (!MaySign(facts, "cRLSign")) look.Find("CRT-CHAIN", "has the issuer " + Quoted(name) + ", which may sign none");
  if (const auto number = crl->Number()) {
    const auto [last, first] = now_.numbers.emplace(facts.subject_der, *number);
    if (!first && *number <= last->second)
      look.Find("CRT-NUMBER", fmt::format("has the number {}, the one before it {}", *number, last->second));
    last->second = std::max(last->second, *number);
  }
  CheckListed(look, *crl, issuer, profile);
}

void CertificateAudit::CheckCrl(const Look& look, const x509::Crl& crl, const x509::CrlProfile* profile) const {
  for (const x509::Finding& finding : x509::LintCrl(crl.der())) look.Find("CRT-LINT", "breaks " + finding.Text());
  const x509::TbsCertListView& tbs = crl.tbs();
  std::vector<std::pair<std::string_view, std::string>> fields = {{"issuer_der", base::Base64Encode(tbs.issuer)},
                                                                  {"revoked", std::to_string(tbs.revoked_count)},
                                                                  {"number", std::to_string(crl.Number().value_or(0))}};
  if (tbs.this_update.seconds) fields.emplace_back("this_update", x509::RfcTime(*tbs.this_update.seconds));
  if (tbs.next_update && tbs.next_update->seconds)
    fields.emplace_back("next_update", x509::RfcTime(*tbs.next_update->seconds));
  CheckFields(look, fields);
  if (tbs.this_update.seconds) CheckDate(look, x509::RfcTime(*tbs.this_update.seconds));
  if (profile == nullptr) return;
  const auto compared = x509::CompareCertListWithProfile(tbs, *profile, nullptr, crl.der().data());
  for (const x509::Finding& finding : compared.ToFindings()) look.Find("CRT-PROFILE", finding.message);
}

std::vector<CertificateAudit::Revoked> CertificateAudit::TakeAnnounced(const std::string& crl) {
  const auto fresh = std::stable_partition(announced_.begin(), announced_.end(),
                                           [&](const Revoked& revoked) { return revoked.crl != crl; });
  std::vector<Revoked> taken(fresh, announced_.end());
  announced_.erase(fresh, announced_.end());
  for (const Revoked& revoked : taken) now_.revoked[revoked.issuer_der].push_back(revoked);
  return taken;
}

// CheckListed: what this CA has revoked is on its list, and so is what this record revokes with it.
void CertificateAudit::CheckListed(const Look& look, const x509::Crl& crl, const Known& issuer,
                                   const x509::CrlProfile* profile) {
  for (const Revoked& revoked : TakeAnnounced(look.Text("crl"))) {
    if (revoked.issuer_der != issuer.facts.subject_der || !Lists(profile, revoked.ca))
      look.Find("CRT-REVOKED", "does not speak for certificate " + Quoted(revoked.certificate));
  }
  for (const Revoked& revoked : now_.revoked[issuer.facts.subject_der]) {
    const auto serial = base::HexDecode(revoked.serial);
    if (!Lists(profile, revoked.ca) || !serial.ok() || crl.Revokes(*serial)) continue;
    look.Find("CRT-REVOKED", "does not have certificate " + Quoted(revoked.certificate) + ", which was revoked");
  }
}

}  // namespace ceremony::verify
