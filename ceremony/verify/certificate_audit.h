// CertificateAudit reads the files of a record with keys, certificates, CRLs and
// requests. It compares them with the script, the profiles, the record's keys, the
// approvals of the quorum, the claims of the steps, and the CAs of this record and the
// ones before it. It compares a certificate of destruction with what the steps did to
// the key and its copies.
//
// It uses only our own strict decoder, and needs neither token nor network. A key or
// issuer that it cannot know, because its record was not read or its certificate is
// withheld, is a notice (CRT-ELSEWHERE). Its rules are CRT-* of record/rules.h.
#ifndef CEREMONY_VERIFY_CERTIFICATE_AUDIT_H_
#define CEREMONY_VERIFY_CERTIFICATE_AUDIT_H_

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/content_audit.h"
#include "ceremony/record/log_audit.h"
#include "ceremony/verify/call_audit.h"
#include "ceremony/verify/recorded_profiles.h"
#include "ceremony/verify/recorded_script.h"
#include "ceremony/x509/certificate.h"
#include "ceremony/x509/certificate_facts.h"
#include "ceremony/x509/crl.h"
#include "ceremony/x509/lint.h"
#include "ceremony/x509/request.h"

namespace ceremony::verify {

class CertificateAudit final : public record::ContentAudit {
 public:
  CertificateAudit() : linter_(x509::Domain::kByPolicy) {}

  void Begin(const std::string& folder) override;
  void OnFirstRecord() override;
  bool Follows(std::string_view kind) override { return FindKind(kind) != nullptr; }
  void OnCall(const record::CallingStep& step, const record::Scanner& call, std::uint64_t entry,
              record::Findings& findings) override;
  void OnEffect(const record::EndedStep& step, const record::Scanner& effect, const record::RecordFiles& files,
                record::Findings& findings) override;
  void OnEnd(const record::EndedStep& step, record::Findings& findings) override { calls_.OnEnd(step, findings); }
  void Finish(record::Findings& findings) override;

 private:
  // Look is the context in which one effect is checked.
  struct Look {
    const record::EndedStep& step;
    const record::Scanner& effect;
    const record::RecordFiles& files;
    record::Findings& findings;
    std::string what;  // `certificate "root-oca"`, for messages

    std::string Text(std::string_view field) const;  // empty when it is missing
    void Find(std::string_view rule, const std::string& message) const;
  };
  struct Key {
    std::string spki_sha256;  // hex
    std::string subject_der;  // base64, of its CA; empty: it is no CA's key so far
  };
  struct Known {
    x509::Certificate certificate;
    x509::CertificateFacts facts;
    std::string key;     // its subject's, by name
    std::string issuer;  // certificate, by name; its own when self-signed
  };
  struct Revoked {
    std::string certificate;  // name
    std::string crl;          // name of the first CRL that lists it
    std::string serial;       // hex
    std::string issuer_der;   // base64
    bool ca = false;
    std::uint64_t entry = 0;  // of the revocation
  };
  // Gone is a copy that a step of this record destroyed.
  struct Gone {
    std::string key, token, serial, object_id, method;  // as the effect says
    auto operator<=>(const Gone&) const = default;
  };
  // Book is what is known from the records so far. It is copied at each record, so certificates, which are large, are
  // shared.
  struct Book {
    std::map<std::string, Key> keys;                                   // by name
    std::map<std::string, std::string> names;                          // of keys, by spki_sha256
    std::map<std::string, std::shared_ptr<const Known>> certificates;  // by name
    std::set<std::string> unshown;                                     // certificates that are withheld, by name
    std::set<std::string> dead;                                        // certificates that were revoked, by name
    std::set<std::string> serials;                                     // issuer's subject_der, space, serial
    std::map<std::string, std::vector<Revoked>> revoked;               // by the issuer's subject_der
    std::map<std::string, std::uint64_t> numbers;                      // of the last CRL, by the same
    // Private objects (token, CKA_ID) that a key.destroy was to destroy, and of which no effect has told yet.
    std::set<std::pair<std::string, std::string>> going;
    bool is_whole = false;  // they begin with the first of their archive: there is no key or issuer from elsewhere
  };

  void OnKey(const Look& look);
  void OnImportedKey(const Look& look);
  void OnRequest(const Look& look);
  void OnCertificate(const Look& look);
  void OnCrl(const Look& look);
  void OnRevocation(const Look& look);
  void OnKeyCloned(const Look& look);
  void OnTokenCommissioned(const Look& look);
  void OnNothing(const Look& /*look*/) {}  // CheckAsApproved and CheckOrder say all
  void OnCopyDestroyed(const Look& look);
  void CheckDestroyed(const Look& look);
  void OnKeyDestroyed(const Look& look);

  // FileOf returns the file that the effect names; CRT-FILE when no `artefact` entry has
  // this file and digest. `digest` names the effect's field.
  std::optional<std::string> FileOf(const Look& look, std::string_view digest, std::size_t limit) const;
  // IsWithheld: a bundle leaves out the file that the effect names.
  static bool IsWithheld(const Look& look);
  // ProfileOf finds the profile that the effect names, by RecordedProfiles::Find or FindCrl. CRT-PROFILE and nullptr if
  // it is not among the inputs; nullptr alone if that cannot be determined.
  template <typename Profile>
  const Profile* ProfileOf(const Look& look,
                           const Profile* (RecordedProfiles::*find)(const std::string&, const record::RecordFiles&)) {
    const std::string id = look.Text("profile");
    const Profile* profile = (profiles_.*find)(id, look.files);
    if (profile == nullptr && !profiles_.is_partial())
      look.Find("CRT-PROFILE", "was made by profile " + record::Quoted(id) + ", which is no input");
    return profile;
  }
  void CheckFields(const Look& look, const std::vector<std::pair<std::string_view, std::string>>& fields) const;
  void CheckApproved(const Look& look, base::ByteView to_be_signed) const;
  void CheckOrder(const Look& look);
  void CheckAsApproved(const Look& look) const;
  // CheckIsOneOf reports QUO-SUBJECT when the quorum approved a list of `copies`, and the effect is none of them.
  void CheckIsOneOf(const Look& look, std::span<const std::string_view> fields) const;
  // CheckDate: `begins` is an RFC 3339 time of what was dated by the clock of its step.
  void CheckDate(const Look& look, const std::string& begins) const;
  void CheckSubject(const Look& look, base::ByteView subject, const x509::Profile& profile);
  void CheckKey(const Look& look, const std::string& name, const std::string& spki_sha256);
  void CheckCertificate(const Look& look, const x509::Certificate& certificate, const x509::CertificateFacts& facts);
  void CheckIssuer(const Look& look, const Known& known);
  void CheckSigner(const Look& look, const Known& issuer) const;
  void CheckChain(const Look& look, const Known& known, const Known& issuer) const;
  void CheckCrl(const Look& look, const x509::Crl& crl, const x509::CrlProfile* profile) const;
  void CheckListed(const Look& look, const x509::Crl& crl, const Known& issuer, const x509::CrlProfile* profile);
  // TakeAnnounced returns the revocations announced for a CRL of that name, and moves them to the revoked ones.
  std::vector<Revoked> TakeAnnounced(const std::string& crl);
  void CheckRequest(const Look& look, const x509::Request& request);
  // Elsewhere keeps the subject of `look` for Finish, because its key or issuer was not made here. `certificate` is the
  // name of that issuer.
  void Elsewhere(const Look& look, const std::string& certificate = {});

  x509::Linter linter_;
  std::string folder_;
  Book before_;  // the record that is looked at
  Book now_;
  CallAudit calls_;
  RecordedProfiles profiles_;
  RecordedScript script_;
  std::vector<Revoked> announced_;  // by this record, and not yet on one of its CRLs
  std::set<Gone> gone_;
  std::set<std::string> elsewhere_, beside_unshown_;
};

}  // namespace ceremony::verify

#endif  // CEREMONY_VERIFY_CERTIFICATE_AUDIT_H_
