// The estate's certificates, requests and CRLs, and whose a key is.
#include <fmt/format.h>

#include <algorithm>

#include "ceremony/estate/estate.h"
#include "ceremony/estate/lookup.h"
#include "ceremony/x509/name.h"
#include "hsm/base/encoding.h"

namespace ceremony::estate {
namespace {

base::Error UnknownKey(const std::string& what, const std::string& key) {
  return base::Refusal("EST-KEY-03", fmt::format("{} needs key {}, which does not exist", what, key),
                       "put a key.generate step before it, or correct the key's name");
}

// The empty Name, of a device.
constexpr const char* kEmptyName = "MAA=";

bool SameNames(const std::string& a, const std::string& b) {
  const auto first = base::Base64Decode(a);
  const auto second = base::Base64Decode(b);
  return first.ok() && second.ok() && x509::SameName(*first, *second);
}

// To whoever compares names byte by byte, a CA that is spelled in two ways is two CAs with one key.
base::Result<void> IsSpelledAsBefore(const Owner& owner, const CertificateIssued& e, const std::string& what) {
  const bool known = !owner.subject_der.empty() && !e.subject_der.empty();
  if (!known || owner.subject_der == e.subject_der || !SameNames(owner.subject_der, e.subject_der)) return {};
  return base::Refusal(
      "EST-NAME-02",
      fmt::format("{} spells the CA of key {} as {}, and it is {} until now", what, e.key, e.subject, owner.subject),
      "a CA has one name in one spelling (RFC 5280 4.1.2.6): repeat it byte by byte");
}

// Compares a name with its DER. Old records spell names without quotes.
bool SpellsName(const std::string& subject, const std::string& subject_der) {
  const auto name = base::Base64Decode(subject_der);
  return name.ok() && !name->empty() && x509::SpellsName(subject, *name);
}

}  // namespace

bool Owner::IsSame(const Owner& other) const {
  if (alternative_name != other.alternative_name && (subject_der == kEmptyName || other.subject_der == kEmptyName))
    return false;
  if (!subject_der.empty() && !other.subject_der.empty()) return SameNames(subject_der, other.subject_der);
  return subject == other.subject || SpellsName(subject, other.subject_der) || SpellsName(other.subject, subject_der);
}

std::string Owner::Text() const {
  return alternative_name.empty() || (!subject.empty() && subject_der != kEmptyName) ? subject : alternative_name;
}

base::Result<void> Estate::Own(const std::string& key, const Owner& owner, const std::string& what) {
  const auto place = key_names_.find(key);
  if (place == key_names_.end()) return UnknownKey(what, key);
  Key* known = &keys_[place->second];
  if (owner.empty() || known->owner.IsSame(owner)) return {};
  if (known->owner.empty()) {
    known->owner = owner;
    return {};
  }
  return base::Refusal("EST-NAME-01",
                       fmt::format("{} names {} as the owner of key {}, which belongs to {}", what, owner.Text(), key,
                                   known->owner.Text()),
                       "one key must never serve two CAs: generate a key of its own for each name");
}

base::Result<void> Estate::Take(const CertificateIssued& e, const Provenance& provenance) {
  const std::string what = "certificate " + e.certificate;
  if (const Certificate* known = FindCertificate(e.certificate)) {
    return base::Refusal("EST-CERT-01",
                         fmt::format("a certificate named {} exists since {}", e.certificate, Where(known->since)),
                         "choose another name in the script");
  }
  KC_RETURN_IF_ERROR(MaySign(e.issuer_key, what));
  KC_RETURN_IF_ERROR(MayBeCertified(e.key, what));
  const auto twin = certificate_serials_.find(e.issuer_key + " " + e.serial);
  if (!e.serial.empty() && twin != certificate_serials_.end()) {
    return base::Refusal(
        "EST-CERT-02",
        fmt::format("key {} already signed serial {} as {}", e.issuer_key, e.serial, certificates_[twin->second].name),
        "a serial number is used once (RFC 5280 4.1.2.2): run the step again for a new one");
  }
  const Key& key = *FindKey(e.key);
  if (!key.spki_sha256.empty() && !e.spki_sha256.empty() && key.spki_sha256 != e.spki_sha256) {
    return base::Refusal(
        "EST-CERT-05",
        fmt::format("{} has the public key {}, key {} is {}", what, e.spki_sha256, e.key, key.spki_sha256),
        "this is another key: stop, and find out whose");
  }
  if (e.ca) KC_RETURN_IF_ERROR(IsSpelledAsBefore(key.owner, e, what));
  KC_RETURN_IF_ERROR(Own(e.key, {e.subject, e.subject_der, e.alternative_name}, what));
  Certificate certificate{e.certificate, e.profile,   e.key,    e.issuer_key, e.subject, e.serial,
                          e.not_before,  e.not_after, e.sha256, e.artefact,   provenance};
  certificate.issuer_certificate = e.issuer_certificate;
  certificate.subject_der = e.subject_der;
  certificate.alternative_name = e.alternative_name;
  certificate.spki_sha256 = e.spki_sha256;
  certificate.subject_key_id = e.subject_key_id;
  certificate.key_usage = e.key_usage;
  certificate.ca = e.ca;
  certificate.path_length = e.path_length;
  AddCertificate(std::move(certificate));
  return {};
}

base::Result<void> Estate::Take(const KeyImported& e, const Provenance& provenance) {
  KC_RETURN_IF_ERROR(IsNewKey(e.key, e.spki_sha256));
  Key key{e.key, e.algorithm, "", e.spki_sha256, "outside", false, {}, provenance};
  key.owner = {e.subject, e.subject_der, e.alternative_name, e.alternative_name_der};
  AddKey(std::move(key));
  return {};
}

base::Result<void> Estate::Take(const RequestCreated& e, const Provenance& provenance) {
  if (const Request* known = FindRequest(e.request)) {
    return base::Refusal("EST-REQUEST-01",
                         fmt::format("a request named {} exists since {}", e.request, Where(known->since)),
                         "choose another name in the script");
  }
  KC_RETURN_IF_ERROR(MayBeCertified(e.key, "request " + e.request));
  KC_RETURN_IF_ERROR(Own(e.key, {e.subject, e.subject_der, e.alternative_name}, "request " + e.request));
  requests_.push_back(
      {e.request, e.profile, e.key, e.subject, e.subject_der, e.alternative_name, e.sha256, e.artefact, provenance});
  return {};
}

base::Result<void> Estate::Take(const CertificateRevoked& e, const Provenance&) {
  const auto place = certificate_names_.find(e.certificate);
  if (place == certificate_names_.end()) {
    return base::Refusal(
        "EST-CERT-03",
        fmt::format("CRL {} revokes certificate {}, which the estate does not know", e.crl, e.certificate),
        "name a certificate of the archive: keyceremony status ARCHIVE lists them");
  }
  Certificate* known = &certificates_[place->second];
  if (known->revoked()) {
    return base::Refusal(
        "EST-CERT-04",
        fmt::format("certificate {} is revoked already, by CRL {} on {}", e.certificate, known->revoked_by,
                    known->revoked_on.empty() ? "a planned day" : known->revoked_on),
        "it stays on every later CRL by itself: take it out of \"revoke\"");
  }
  known->revoked_on = e.on;
  known->revocation_reason = e.reason;
  known->revoked_by = e.crl;
  return {};
}

base::Result<void> Estate::Take(const CrlIssued& e, const Provenance& provenance) {
  if (const Crl* known = FindCrl(e.crl)) {
    return base::Refusal("EST-CRL-01", fmt::format("a CRL named {} exists since {}", e.crl, Where(known->since)),
                         "choose another name in the script");
  }
  KC_RETURN_IF_ERROR(MaySign(e.issuer_key, "CRL " + e.crl));
  if (const Crl* last = FindLastCrl(e.issuer_der); last != nullptr && e.number <= last->number) {
    return base::Refusal("EST-CRL-02",
                         fmt::format("CRL {} has the number {}, {} of the same issuer has {}", e.crl, e.number,
                                     last->name, last->number),
                         "numbers of CRLs only grow (RFC 5280 5.2.3): leave \"number\" out, or give a higher one");
  }
  crls_.push_back({e.crl, e.profile, e.issuer_key, e.issuer, e.issuer_der, e.issuer_certificate, e.number,
                   e.this_update, e.next_update, e.revoked, e.sha256, e.artefact, provenance});
  return {};
}

const Certificate* Estate::FindCertificate(std::string_view name) const {
  const auto found = certificate_names_.find(name);
  return found == certificate_names_.end() ? nullptr : &certificates_[found->second];
}
const Crl* Estate::FindCrl(std::string_view name) const { return FindNamed(crls_, name); }
const Request* Estate::FindRequest(std::string_view name) const { return FindNamed(requests_, name); }

const Crl* Estate::FindLastCrl(std::string_view issuer_der) const {
  const Crl* last = nullptr;
  for (const Crl& crl : crls_) {
    if (crl.issuer_der == issuer_der && (last == nullptr || crl.number > last->number)) last = &crl;
  }
  return last;
}

}  // namespace ceremony::estate
