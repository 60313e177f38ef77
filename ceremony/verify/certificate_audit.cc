#include "ceremony/verify/certificate_audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ceremony/record/record_name.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/open_values.h"
#include "ceremony/x509/view.h"
#include "hsm/base/clock_text.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::verify {
namespace {

using record::DecodeString;
using record::Quoted;

constexpr std::string_view kByVendor = "vendor";  // how the way of a copy begins that its maker's tool brought
constexpr std::size_t kMostOctets = 65536;        // of a certificate or a request

// The PEM form of an artefact stands beside it.
std::string PemBeside(const std::string& der) {
  const std::size_t dot = der.rfind('.');
  return der.substr(0, dot) + ".pem";
}

}  // namespace

std::string CertificateAudit::Look::Text(std::string_view field) const {
  return DecodeString(effect.Find(field)).value_or("");
}

void CertificateAudit::Look::Find(std::string_view rule, const std::string& message) const {
  findings.Add(rule, step.entry, what + " " + message);
}

void CertificateAudit::Begin(const std::string& folder) {
  // Another look at the same record begins where the first one began.
  if (folder == folder_) {
    now_ = before_;
  } else {
    before_ = now_;
    folder_ = folder;
  }
  calls_.Forget();
  profiles_.Forget();
  script_.Forget();
  announced_.clear();
  gone_.clear();
  elsewhere_.clear();
  beside_unshown_.clear();
}

// A record that says that none comes before it begins a whole archive; one that goes on from others is as whole as
// they.
void CertificateAudit::OnFirstRecord() { now_.is_whole = true; }

void CertificateAudit::OnEffect(const record::EndedStep& step, const record::Scanner& effect,
                                const record::RecordFiles& files, record::Findings& findings) {
  using Handler = void (CertificateAudit::*)(const Look&);
  struct Kind {
    std::string_view effect;
    std::string_view name;  // the field that names what it is about
    std::string_view what;
    Handler handler;
    bool is_result;  // of the one thing that the quorum was asked for
  };
  static constexpr Kind kKinds[] = {
      {"key-created", "key", "key", &CertificateAudit::OnKey, true},
      {"transport-key-created", "key", "key", &CertificateAudit::OnKey, true},
      {"key-imported", "key", "key", &CertificateAudit::OnImportedKey, true},
      {"request-created", "request", "request", &CertificateAudit::OnRequest, true},
      {"certificate-issued", "certificate", "certificate", &CertificateAudit::OnCertificate, true},
      {"certificate-revoked", "certificate", "certificate", &CertificateAudit::OnRevocation, false},
      {"crl-issued", "crl", "CRL", &CertificateAudit::OnCrl, true},
      {"key-cloned", "key", "key", &CertificateAudit::OnKeyCloned, true},
      {"key-exported", "key", "key", &CertificateAudit::OnNothing, true},
      {"token-commissioned", "token", "token", &CertificateAudit::OnTokenCommissioned, true},
      {"person-appointed", "person", "person", &CertificateAudit::OnNothing, true},
      {"person-retired", "person", "person", &CertificateAudit::OnNothing, true},
      {"copy-destroyed", "key", "key", &CertificateAudit::OnCopyDestroyed, false},
      {"key-destroyed", "key", "key", &CertificateAudit::OnKeyDestroyed, false},
  };
  const std::optional<std::string> name = DecodeString(effect.Find("effect"));
  calls_.OnEffect(step, name.value_or(""), DecodeString(effect.Find("token")).value_or(""), findings);
  const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return k.effect == name; });
  if (kind == std::end(kKinds)) return;
  const std::string subject = DecodeString(effect.Find(kind->name)).value_or("");
  const Look look{step, effect, files, findings, fmt::format("{} {}", kind->what, Quoted(subject))};
  CheckOrder(look);
  if (kind->is_result) CheckAsApproved(look);
  (this->*kind->handler)(look);
}

void CertificateAudit::Finish(record::Findings& findings) {
  for (const Revoked& revoked : announced_) {
    findings.Add("CRT-REVOKED", revoked.entry,
                 fmt::format("certificate {} is revoked by the CRL {}, which is none of this record",
                             Quoted(revoked.certificate), Quoted(revoked.crl)));
  }
  if (!beside_unshown_.empty()) {
    findings.Add("CRT-ELSEWHERE", std::nullopt,
                 fmt::format("{} could not be held against an issuer whose certificate is withheld",
                             fmt::join(beside_unshown_, ", ")));
  }
  if (elsewhere_.empty()) return;
  if (now_.is_whole) {
    return findings.Add(
        "CRT-UNKNOWN", std::nullopt,
        fmt::format("no step before has made the key or the issuer of {}", fmt::join(elsewhere_, ", ")));
  }
  findings.Add("CRT-ELSEWHERE", std::nullopt,
               fmt::format("a key or an issuer of {} is of an earlier record: verify the archive, which has it",
                           fmt::join(elsewhere_, ", ")));
}

void CertificateAudit::Elsewhere(const Look& look, const std::string& certificate) {
  (now_.unshown.contains(certificate) ? beside_unshown_ : elsewhere_).insert(look.what);
}

void CertificateAudit::OnKey(const Look& look) {
  const std::string name = look.Text("key"), spki_sha256 = look.Text("spki_sha256");
  const auto file = look.files.artefacts().find(record::PublicKeyFile(name));
  if (file != look.files.artefacts().end() && file->second.sha256 != spki_sha256) {
    look.Find("CRT-KEY",
              fmt::format("has the public key {}, its file {} has {}", spki_sha256, file->first, file->second.sha256));
  }
  if (!look.effect.Find("token").empty())
    calls_.CheckKey(look.step, look.what, spki_sha256, look.Text("token"), look.effect.Find("extractable"),
                    look.findings);
  now_.keys[name].spki_sha256 = spki_sha256;
  now_.names.emplace(spki_sha256, name);
}

void CertificateAudit::OnKeyCloned(const Look& look) {
  static constexpr std::string_view kSame[] = {"token", "serial"};
  CheckIsOneOf(look, kSame);
  if (!look.Text("way").starts_with(kByVendor))
    calls_.CheckCloned(look.step, look.what, look.Text("token"), look.findings);
}

void CertificateAudit::OnTokenCommissioned(const Look& look) {
  calls_.CheckCommissioned(look.step, look.what, look.Text("token"), look.findings);
}

void CertificateAudit::OnImportedKey(const Look& look) {
  OnKey(look);
  const std::optional<std::string> der = FileOf(look, "request_sha256", kMostOctets);
  if (!der) return;
  const auto request = x509::Request::Parse(base::AsBytes(*der));
  if (!request.ok()) return look.Find("CRT-FORM", "came with a request that is none: " + request.error().message);
  CheckRequest(look, *request);
  CheckFields(look, {{"subject_der", base::Base64Encode(request->info().subject)},
                     {"spki_sha256", base::Sha256Hex(request->info().spki.whole)}});
}

void CertificateAudit::OnRequest(const Look& look) {
  const std::optional<std::string> der = FileOf(look, "sha256", kMostOctets);
  if (!der) return;
  const auto request = x509::Request::Parse(base::AsBytes(*der));
  if (!request.ok()) return look.Find("CRT-FORM", "is none: " + request.error().message);
  const x509::RequestInfoView& info = request->info();
  CheckRequest(look, *request);
  CheckFields(look, {{"subject_der", base::Base64Encode(info.subject)}});
  CheckKey(look, look.Text("key"), base::Sha256Hex(info.spki.whole));
  CheckApproved(look, info.whole);
  calls_.CheckSigned(look.step, look.what, base::Sha256Hex(info.whole), look.findings);

  const x509::Profile* profile = ProfileOf(look, &RecordedProfiles::Find);
  if (profile == nullptr) return;
  auto key = request->SubjectKey();
  auto subject = x509::SubjectValuesOf(*profile, info.subject);
  if (!key.ok() || !subject.ok()) {
    const base::Error& error = key.ok() ? subject.error() : key.error();
    return look.Find("CRT-PROFILE", "does not fit profile " + Quoted(look.Text("profile")) + ": " + error.message);
  }
  CheckSubject(look, info.subject, *profile);
  x509::RequestInput input{std::move(key).value(), std::move(subject).value()};
  if (const x509::ExtensionView* names = info.Find(x509::Oid::kSubjectAltName)) {
    if (auto given = x509::AlternativeNamesOf(*profile, names->value); given.ok()) input.alternative_names = *given;
  }
  const auto compared = x509::CompareRequestWithProfile(info, *profile, input, request->der().data());
  for (const x509::Finding& finding : compared.ToFindings()) look.Find("CRT-PROFILE", finding.message);
}

void CertificateAudit::CheckRequest(const Look& look, const x509::Request& request) {
  if (const auto possession = request.VerifyPossession(); !possession.ok())
    look.Find("CRT-SIGNATURE", "has a request that its own key did not sign: " + possession.error().message);
}

std::optional<std::string> CertificateAudit::FileOf(const Look& look, std::string_view digest,
                                                    std::size_t limit) const {
  const std::string path = look.Text("artefact"), stated = look.Text(digest);
  const auto entered = look.files.artefacts().find(path);
  if (entered == look.files.artefacts().end()) {
    if (!look.step.is_partly_shown) look.Find("CRT-FILE", "is said to be " + Quoted(path) + ", which no entry names");
    return std::nullopt;
  }
  if (entered->second.sha256 != stated) {
    look.Find("CRT-FILE",
              fmt::format("has the digest {}, its file {} has {}", Quoted(stated), path, entered->second.sha256));
    return std::nullopt;
  }
  if (entered->second.size.value_or(0) > limit) {
    look.Find("CRT-FILE", fmt::format("is in {} of {} bytes, at most {} are read", path, *entered->second.size, limit));
    return std::nullopt;
  }
  return look.files.Artefact(path, limit);
}

bool CertificateAudit::IsWithheld(const Look& look) {
  const std::string path = look.Text("artefact");
  return look.files.IsArtefactWithheld(path) || (look.step.is_partly_shown && !look.files.artefacts().contains(path));
}

void CertificateAudit::CheckFields(const Look& look,
                                   const std::vector<std::pair<std::string_view, std::string>>& fields) const {
  for (const auto& [field, has] : fields) {
    const std::string_view raw = look.effect.Find(field);
    if (raw.empty()) continue;  // a record of an earlier release does not say
    const std::string says = DecodeString(raw).value_or(std::string(raw));
    if (says != has)
      look.Find("CRT-FACTS", fmt::format("has the {} {}, its step says {}", field, Quoted(has), Quoted(says)));
  }
}

void CertificateAudit::CheckApproved(const Look& look, base::ByteView to_be_signed) const {
  if (look.step.approved == nullptr) return;
  const std::string digest = base::Sha256Hex(to_be_signed);
  const auto approved = look.step.approved->find(digest);
  if (approved == look.step.approved->end()) {
    std::vector<std::string> others;
    for (const auto& [other, attempts] : *look.step.approved) others.push_back(other);
    return look.Find("CRT-APPROVED",
                     fmt::format("has the bytes {} to be signed, and its quorum approved {}", digest,
                                 others.empty() ? std::string("none") : fmt::format("{}", fmt::join(others, ", "))));
  }
  // A later attempt takes over what an earlier one has signed, never what that was only allowed to sign.
  const std::set<std::uint64_t>& attempts = approved->second;
  if (attempts.contains(look.step.attempt) || calls_.IsSigned(look.step, digest, attempts)) return;
  look.Find("CRT-APPROVED",
            fmt::format("has the bytes {} to be signed, which were approved for an earlier attempt that "
                        "did not sign them",
                        digest));
}

// CheckOrder: the step made what the script says of it. The fields that name keys and certificates there are
// called as in the effect, but for the issuer.
void CertificateAudit::CheckOrder(const Look& look) {
  static constexpr std::pair<std::string_view, std::string_view> kOrdered[] = {
      {"certificate", "certificate"},   {"crl", "crl"},      {"request", "request"},
      {"algorithm", "algorithm"},       {"token", "token"},  {"key", "key"},
      {"issuer", "issuer_certificate"}, {"person", "person"}};
  const script::Node* step = script_.Find(look.step.id, look.files);
  if (step == nullptr) return;
  for (const auto& [field, member] : kOrdered) {
    const script::Node* ordered = step->Find(field);
    if (ordered == nullptr || ordered->kind() != script::Node::Kind::kText || look.effect.Find(member).empty())
      continue;
    if (const std::string made = look.Text(member); made != ordered->text())
      look.Find("CRT-ORDER",
                fmt::format("has the {} {}, the script says {}", field, Quoted(made), Quoted(ordered->text())));
  }
}

// CheckAsApproved: what the quorum of the step was asked for by name is what came of it.
void CertificateAudit::CheckAsApproved(const Look& look) const {
  if (look.step.subject == nullptr) return;
  const bool certifies = !look.effect.Find("issuer_key").empty();
  const std::string_view signer = certifies ? "issuer_key" : "key";
  const std::pair<std::string_view, std::string_view> asked_and_made[] = {
      {"certificate", "certificate"},
      {"crl", "crl"},
      {"request", "request"},
      {"profile", "profile"},
      {"token", "token"},
      {"algorithm", "algorithm"},
      {"object_id", "object_id"},
      {"key", signer},
      {"subject_key", "key"},
      {"source", "source"},
      {"transport_key", "transport_key"},
      {"person", "person"},
      {"name", "name"},
      {"employer", "employer"},
      {"domain", "domain"},
      {"site", "site"},
      {"state", "state"},
      {"reason", "reason"},
      // Of what is certified, they are of something else.
      {"serial", certifies ? "" : "serial"},
      {"spki_sha256", certifies ? "" : "spki_sha256"}};
  for (const auto& [asked, member] : asked_and_made) {
    const auto said = look.step.subject->find(std::string(asked));
    if (said == look.step.subject->end() || look.effect.Find(member).empty()) continue;
    if (const std::string made = look.Text(member); made != said->second)
      look.Find("QUO-SUBJECT",
                fmt::format("has the {} {}, and its quorum approved {}", member, Quoted(made), Quoted(said->second)));
  }
}

void CertificateAudit::CheckIsOneOf(const Look& look, std::span<const std::string_view> fields) const {
  bool has_copies = false;
  for (const auto* subject : look.step.subjects) {
    for (std::size_t i = 0;; ++i) {
      const std::string copy = fmt::format("copies.{}.", i);
      const auto first = subject->lower_bound(copy);
      if (first == subject->end() || !first->first.starts_with(copy)) break;
      has_copies = true;
      // A field that is the same for all of them stands beside the list.
      if (std::all_of(fields.begin(), fields.end(), [&](std::string_view field) {
            auto approved = subject->find(copy + std::string(field));
            if (approved == subject->end()) approved = subject->find(std::string(field));
            return approved == subject->end() || approved->second == look.Text(field);
          }))
        return;
    }
  }
  if (has_copies)
    look.Find("QUO-SUBJECT",
              fmt::format("has a copy on {}, and its quorum approved another one", Quoted(look.Text("token"))));
}

// CheckDate compares days: clocks of rooms are not much better.
void CertificateAudit::CheckDate(const Look& look, const std::string& begins) const {
  const std::string day = base::DayOf(begins);
  const std::string_view earliest = look.step.earliest, latest = look.step.latest;
  if (day.empty() || (day >= base::DayOf(earliest) && day <= base::DayOf(latest))) return;
  look.Find("CRT-DATE", fmt::format("begins at {}, its step was done from {} to {}", begins, earliest, latest));
}

void CertificateAudit::CheckSubject(const Look& look, base::ByteView subject, const x509::Profile& profile) {
  const script::Node* step = script_.Find(look.step.id, look.files);
  const script::Node* ordered = step == nullptr ? nullptr : step->Find("subject");
  if (ordered == nullptr) return;
  x509::SubjectValues values;
  for (const script::Node* value : ordered->children()) values[value->key()] = value->text();
  const auto name = x509::BuildName(profile, values);
  if (name.ok() && std::equal(name->begin(), name->end(), subject.begin(), subject.end())) return;
  look.Find("CRT-ORDER", fmt::format("has the subject {}, the script says {}", Quoted(x509::NameText(subject)),
                                     name.ok() ? Quoted(x509::NameText(*name)) : name.error().message));
}

void CertificateAudit::CheckKey(const Look& look, const std::string& name, const std::string& spki_sha256) {
  const auto key = now_.keys.find(name);
  if (key == now_.keys.end()) {
    const auto other = now_.names.find(spki_sha256);
    if (other == now_.names.end()) return Elsewhere(look);
    return look.Find("CRT-KEY",
                     fmt::format("is of key {}, and its public key is that of {}", Quoted(name), other->second));
  }
  if (key->second.spki_sha256 != spki_sha256) {
    look.Find("CRT-KEY", fmt::format("is of key {}, which has the public key {}, and has {}", Quoted(name),
                                     key->second.spki_sha256, spki_sha256));
  }
}

void CertificateAudit::OnCertificate(const Look& look) {
  const std::optional<std::string> der = FileOf(look, "sha256", kMostOctets);
  if (!der) {
    if (IsWithheld(look)) now_.unshown.insert(look.Text("certificate"));
    return;
  }
  const auto certificate = x509::Certificate::Parse(base::AsBytes(*der));
  if (!certificate.ok()) return look.Find("CRT-FORM", "is none: " + certificate.error().message);
  x509::CertificateFacts facts = x509::CertificateFactsOf(certificate->tbs());
  CheckCertificate(look, *certificate, facts);
  CheckApproved(look, certificate->tbs().whole);
  calls_.CheckSigned(look.step, look.what, base::Sha256Hex(certificate->tbs().whole), look.findings);

  const std::string name = look.Text("certificate"), key = look.Text("key");
  CheckKey(look, key, facts.spki_sha256);
  if (const auto known = now_.keys.find(key); known != now_.keys.end() && facts.ca) {
    std::string& subject = known->second.subject_der;
    if (subject.empty()) subject = facts.subject_der;
    if (subject != facts.subject_der)
      look.Find("CRT-KEY", fmt::format("makes key {} a CA of a second name, {}", Quoted(key), Quoted(facts.subject)));
  }
  const auto known =
      std::make_shared<const Known>(Known{*certificate, std::move(facts), key, look.Text("issuer_certificate")});
  CheckIssuer(look, *known);
  now_.certificates.insert_or_assign(name, known);
}

void CertificateAudit::OnRevocation(const Look& look) {
  Revoked revoked{look.Text("certificate"), look.Text("crl"), {}, {}, false, look.step.entry};
  const auto known = now_.certificates.find(revoked.certificate);
  if (known == now_.certificates.end()) return Elsewhere(look, revoked.certificate);
  const auto issuer = now_.certificates.find(known->second->issuer);
  if (issuer == now_.certificates.end()) return Elsewhere(look, known->second->issuer);
  now_.dead.insert(revoked.certificate);
  revoked.serial = known->second->facts.serial;
  revoked.ca = known->second->facts.ca;
  revoked.issuer_der = issuer->second->facts.subject_der;
  announced_.push_back(std::move(revoked));
}

void CertificateAudit::CheckCertificate(const Look& look, const x509::Certificate& certificate,
                                        const x509::CertificateFacts& facts) {
  x509::CertificateView view;
  x509::Findings lint(certificate.der());
  linter_.CheckCertificate(certificate.der(), view, lint);
  for (const x509::Finding& finding : lint.list()) look.Find("CRT-LINT", "breaks " + finding.Text());
  if (const auto pem = look.files.Artefact(PemBeside(look.Text("artefact")), 2 * kMostOctets)) {
    const auto twin = x509::Certificate::FromPem(*pem);
    if (!twin.ok() || twin->Sha256Hex() != certificate.Sha256Hex())
      look.Find("CRT-FILE", "has another certificate in the PEM file beside it");
  }
  const std::string subject = look.Text("subject");
  CheckFields(look, {{"subject", x509::SpellsName(subject, certificate.tbs().subject) ? subject : facts.subject},
                     {"subject_der", facts.subject_der},
                     {"alternative_name", facts.alternative_name},
                     {"serial", facts.serial},
                     {"not_before", facts.not_before},
                     {"not_after", facts.not_after},
                     {"spki_sha256", facts.spki_sha256},
                     {"subject_key_id", facts.subject_key_id},
                     {"key_usage", facts.key_usage},
                     {"ca", facts.ca ? "true" : "false"},
                     {"path_length", std::to_string(facts.path_length)}});
  const x509::Profile* profile = ProfileOf(look, &RecordedProfiles::Find);
  if (profile == nullptr) return;
  CheckSubject(look, certificate.tbs().subject, *profile);
  if (!std::holds_alternative<x509::FixedValidity>(profile->validity)) CheckDate(look, facts.not_before);
  const auto compared = x509::CompareWithProfile(certificate.tbs(), *profile, nullptr, certificate.der().data());
  for (const x509::Finding& finding : compared.ToFindings()) look.Find("CRT-PROFILE", finding.message);
}

}  // namespace ceremony::verify
