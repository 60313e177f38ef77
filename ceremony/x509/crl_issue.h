// The order of issuing a CRL as types: see crl.h. None has a public constructor.
#ifndef CEREMONY_X509_CRL_ISSUE_H_
#define CEREMONY_X509_CRL_ISSUE_H_

#include <utility>

#include "ceremony/x509/crl.h"

namespace ceremony::x509 {

// LintedCertList passed every rule.
class LintedCertList final {
 public:
  const TbsCertList& tbs() const { return tbs_; }

 private:
  friend base::Result<LintedCertList> LintTbsCertList(TbsCertList tbs);
  explicit LintedCertList(TbsCertList tbs) : tbs_(std::move(tbs)) {}
  TbsCertList tbs_;
};

// LintTbsCertList runs every rule, as LintTbs.
base::Result<LintedCertList> LintTbsCertList(TbsCertList tbs);

// ComparedCertList is equal to its profile and input in every field, as our
// decoder and as OpenSSL's read it.
class ComparedCertList final {
 public:
  const TbsCertList& tbs() const { return linted_.tbs(); }
  // comparison is the table to show before the quorum is asked.
  const Comparison& comparison() const { return comparison_; }
  base::Sha256Digest Digest() const { return tbs().Digest(); }

 private:
  friend base::Result<ComparedCertList> CompareTbsCertList(LintedCertList linted, const CrlProfile& profile,
                                                           const CrlInput& input);
  friend class ApprovedCertList;
  ComparedCertList(LintedCertList linted, Comparison comparison, SignatureAlgorithm algorithm)
      : linted_(std::move(linted)), comparison_(std::move(comparison)), algorithm_(algorithm) {}
  LintedCertList linted_;
  Comparison comparison_;
  SignatureAlgorithm algorithm_;
};

// CompareTbsCertList refuses with COMPARE-01 (the profile) or COMPARE-02 (the second decoder).
base::Result<ComparedCertList> CompareTbsCertList(LintedCertList linted, const CrlProfile& profile,
                                                  const CrlInput& input);

// ApprovedCertList is what a token may sign.
class ApprovedCertList final {
 public:
  base::ByteView to_be_signed() const { return compared_.tbs().der(); }
  const TbsCertList& tbs() const { return compared_.tbs(); }
  const ComparedCertList& compared() const { return compared_; }
  SignatureAlgorithm signature_algorithm() const { return compared_.algorithm_; }

 private:
  friend base::Result<ApprovedCertList> ApproveTbsCertList(ComparedCertList compared,
                                                           const base::Sha256Digest& approved);
  explicit ApprovedCertList(ComparedCertList compared) : compared_(std::move(compared)) {}
  ComparedCertList compared_;
};

// ApproveTbsCertList takes the SHA-256 that the people approved. Refuses with
// TBS-APPROVAL-01 when these are not the bytes they approved.
base::Result<ApprovedCertList> ApproveTbsCertList(ComparedCertList compared, const base::Sha256Digest& approved);

// FinishCrl puts the signature (for ECDSA strict low-S DER) to the bytes and
// then trusts nothing: it must verify under `issuer_key`, the whole must lint
// clean, both decoders must read it alike, and the TBS inside must be the
// approved bytes. kCorrupt or kRefused otherwise.
base::Result<Crl> FinishCrl(const ApprovedCertList& approved, const base::PublicKey& issuer_key,
                            base::ByteView signature);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_CRL_ISSUE_H_
