// The order of issuing as types: see tbs.h. Each type can only be made by the
// function before it; none has a public constructor.
#ifndef CEREMONY_X509_ISSUE_H_
#define CEREMONY_X509_ISSUE_H_

#include <string>
#include <utility>

#include "ceremony/x509/certificate.h"
#include "ceremony/x509/compare.h"
#include "ceremony/x509/finding.h"
#include "ceremony/x509/profile.h"
#include "ceremony/x509/tbs.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

class ComparedTbs;
class ApprovedTbs;

// LintedTbs passed every rule.
class LintedTbs final {
 public:
  const Tbs& tbs() const { return tbs_; }

 private:
  friend base::Result<LintedTbs> LintTbs(Tbs tbs);
  explicit LintedTbs(Tbs tbs) : tbs_(std::move(tbs)) {}
  Tbs tbs_;
};

// LintTbs runs every rule, those of the domain among them. kRefused with the first
// rule's id and all sentences when one is broken; LintTbsBytes gives the list.
base::Result<LintedTbs> LintTbs(Tbs tbs);

// ComparedTbs is equal to its profile and input in every field, as our decoder
// and as OpenSSL's read it.
class ComparedTbs final {
 public:
  const Tbs& tbs() const { return linted_.tbs(); }
  // comparison is the table to show before the quorum is asked.
  const Comparison& comparison() const { return comparison_; }
  base::Sha256Digest Digest() const { return tbs().Digest(); }

 private:
  friend base::Result<ComparedTbs> CompareTbs(LintedTbs linted, const Profile& profile, const TbsInput& input);
  ComparedTbs(LintedTbs linted, Comparison comparison, const Profile& profile)
      : linted_(std::move(linted)),
        comparison_(std::move(comparison)),
        algorithm_(profile.signature_algorithm),
        self_signed_(profile.self_signed) {}
  friend class ApprovedTbs;
  LintedTbs linted_;
  Comparison comparison_;
  SignatureAlgorithm algorithm_;
  bool self_signed_;
};

// CompareTbs refuses with COMPARE-01 (the profile) or COMPARE-02 (the second
// decoder), naming every field that differs with both values.
base::Result<ComparedTbs> CompareTbs(LintedTbs linted, const Profile& profile, const TbsInput& input);

// ApprovedTbs is what a token may sign.
class ApprovedTbs final {
 public:
  base::ByteView to_be_signed() const { return compared_.tbs().der(); }
  const Tbs& tbs() const { return compared_.tbs(); }
  const ComparedTbs& compared() const { return compared_; }
  SignatureAlgorithm signature_algorithm() const { return compared_.algorithm_; }
  bool self_signed() const { return compared_.self_signed_; }

 private:
  friend base::Result<ApprovedTbs> ApproveTbs(ComparedTbs compared, const base::Sha256Digest& approved);
  explicit ApprovedTbs(ComparedTbs compared) : compared_(std::move(compared)) {}
  ComparedTbs compared_;
};

// ApproveTbs takes the SHA-256 that the people approved, as the record has it.
// Refuses with TBS-APPROVAL-01 when these are not the bytes they approved.
base::Result<ApprovedTbs> ApproveTbs(ComparedTbs compared, const base::Sha256Digest& approved);

// FinishCertificate puts the signature (for ECDSA strict low-S DER) to the
// bytes and then trusts nothing: the signature must verify under `issuer_key`,
// which for a self-signed profile must be the subject's key (TBS-KEY-02), the
// whole must lint clean, both decoders must read it alike, and the TBS inside
// must be the approved bytes. kCorrupt or kRefused otherwise.
base::Result<Certificate> FinishCertificate(const ApprovedTbs& approved, const base::PublicKey& issuer_key,
                                            base::ByteView signature);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_ISSUE_H_
