// A certificate as a step orders it, and how it is made. cert.self-sign,
// cert.issue and cert.cross-sign differ only in their orders.
//
#ifndef CEREMONY_STEPS_CERTIFICATE_ORDER_H_
#define CEREMONY_STEPS_CERTIFICATE_ORDER_H_

#include <string>
#include <vector>

#include "ceremony/script/fields.h"
#include "ceremony/script/script.h"
#include "ceremony/steps/plan.h"
#include "ceremony/steps/step_context.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/open_values.h"
#include "hsm/base/bytes.h"

namespace ceremony::steps {

struct CertificateOrder {
  std::string certificate;  // its name
  std::string profile;      // as the script names it
  std::string token;        // that signs
  std::string issuer_key;   // that signs
  std::string issuer;       // the issuer's certificate; empty: self-signed
  std::string subject_key;
  x509::SubjectValues subject;
  x509::OpenExtensions extensions;  // values that the profile leaves open
  x509::AlternativeNames alternative_names;
  std::string like;  // the certificate whose subject and key identifier it repeats; empty: none
};

// The fields that the kinds have in common, and what stands in them.
script::Field ProfileField();
script::Field CertificateField();
script::Field SubjectField();
script::Field ExtensionsField();
script::Field AlternativeNamesField();
x509::SubjectValues SubjectIn(const script::Step& step);
x509::OpenExtensions ExtensionsIn(const script::Step& step);
x509::AlternativeNames AlternativeNamesIn(const script::Step& step);

// RequestedNames are the alternative names in the request of an imported key;
// empty if it has none, or if the profile makes no such names.
x509::AlternativeNames RequestedNames(const estate::Key& key, const x509::Profile& profile);

// NamesText spells the subjectAltName that a profile makes of these names; empty
// if it makes none.
std::string NamesText(const x509::Profile& profile, const x509::AlternativeNames& names);

// CheckKeyOfProfile reports PLAN-PROFILE-02 about the field "key".
void CheckKeyOfProfile(const estate::Key& key, const x509::Profile& profile, PlanContext& plan);

// ProfileOfPlanned is the profile of a certificate that this script makes; nullptr for one of the archive.
const x509::Profile* ProfileOfPlanned(const estate::Certificate& certificate, const script::Inputs& inputs);
// ReportContradiction reports a rule PROFILE-* about the field "profile".
void ReportContradiction(const x509::Finding& finding, PlanContext& plan);

// SubjectDerOf is the subject of a certificate; empty where the records do not say.
base::Bytes SubjectDerOf(const estate::Certificate& certificate);
// ReportTrial reports what a trial (x509/trial.h) refuses, about the field "profile".
void ReportTrial(const base::Result<void>& tried, PlanContext& plan);
// TrialAlgorithm is the key's algorithm if the profile allows it, else the first allowed one.
base::KeyAlgorithm TrialAlgorithm(const estate::Key* key, const std::vector<base::KeyAlgorithm>& allowed);

// CheckOrder holds an order to the model and plans the certificate. Reports,
// beyond the rules of CheckSigningKey, BuildName, CheckOpenValues and the estate:
//   PROFILE-10..15   the profile contradicts that of its issuer, which this script makes
//   PLAN-PROFILE-01  the profile is self-signed and the order is not, or the reverse
//   PLAN-PROFILE-02  the profile does not allow the subject's key
//   PLAN-PROFILE-03  the issuer's key cannot make the profile's signatures
//   PLAN-PROFILE-04  a decoder does not take what the profile makes
//   the rules of the lint, COMPARE-01 and -02, for which the room would refuse the certificate
//   PLAN-CERT-01     the issuer's certificate does not exist by this step
//   PLAN-CERT-02     the issuer is not a CA that signs certificates
//   PLAN-CERT-03     it is revoked
//   PLAN-CERT-04     a path length above does not allow this CA
//   PLAN-CERT-05     the certificate would be valid outside of its issuer's validity
//   PLAN-CERT-06     issuer and subject are one key
//   PLAN-CERT-07     the profile does not repeat the name, as a cross-certificate must
//   PLAN-CERT-08     the alternative names differ from those in the key's request
void CheckOrder(const CertificateOrder& order, PlanContext& plan);

// Certify builds, lints, compares and shows the certificate, gets the approval, opens
// the token, signs, checks with both decoders and with OpenSSL over the whole chain, and
// releases the certificate. It takes over the certificate or TBS of an interrupted
// attempt, unless the TBS has waited too long. Refuses before the approval:
//   CERT-NEST-01    it would be valid outside of its issuer's validity
//   CERT-SERIAL-01  the token's generator gave a serial that the issuer has used
//   CERT-LIKE-01    the subject or key identifier is not that of the other certificate
base::Result<void> Certify(const CertificateOrder& order, StepContext& context);

// Names of the artefacts of a certificate.
std::string CertificateDer(const std::string& certificate);
std::string CertificatePem(const std::string& certificate);
std::string CertificateTbs(const std::string& certificate, int edition = 1);  // TbsSuffix

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_CERTIFICATE_ORDER_H_
