// Certification requests, PKCS#10 (RFC 2986): made on a token of ours in the
// same order of types as certificates (tbs.h), and taken in from others.
//
//   BuildRequestInfo -> RequestInfo -> LintRequestInfo -> LintedRequestInfo
//     -> CompareRequestInfo -> ComparedRequestInfo
//     -> (people approve its digest) ApproveRequestInfo -> ApprovedRequestInfo
//     -> (the token signs) FinishRequest -> Request
//
//   ImportRequest -> ImportedRequest: proven possession, a sound key, nothing unknown
#ifndef CEREMONY_X509_REQUEST_H_
#define CEREMONY_X509_REQUEST_H_

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ceremony/x509/compare.h"
#include "ceremony/x509/finding.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/open_values.h"
#include "ceremony/x509/profile.h"
#include "ceremony/x509/view.h"
#include "hsm/base/bytes.h"
#include "hsm/base/digest.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

struct RequestInfoView {
  static constexpr std::size_t kMostAttributes = 8;

  base::ByteView whole;
  base::ByteView subject;  // whole Name
  SpkiView spki;
  base::ByteView attributes_whole;  // the [0] element; empty when absent
  // Types of the attributes (content octets), extensionRequest among them.
  std::array<base::ByteView, kMostAttributes> attribute_types;
  std::size_t attribute_count = 0;
  std::array<ExtensionView, TbsView::kMostExtensions> extension_list;  // of extensionRequest
  std::size_t extension_count = 0;

  std::span<const ExtensionView> extensions() const { return {extension_list.data(), extension_count}; }
  const ExtensionView* Find(Oid oid) const;
};

struct RequestView {
  base::ByteView whole;
  RequestInfoView info;
  AlgorithmView algorithm;
  base::ByteView signature;
  unsigned signature_unused_bits = 0;
};

// ParseRequestInfo and ParseRequest hold the bytes to DER and to RFC 2986
// section 4, as ParseTbs and ParseCertificate do.
bool ParseRequestInfo(base::ByteView bytes, RequestInfoView& view, Findings& findings);
bool ParseRequest(base::ByteView bytes, RequestView& view, Findings& findings);

// LintRequestInfoBytes and LintRequest run every rule over bytes, as if a certificate
// had the requested extensions; empty means good. LintRequestProof checks only form,
// key, algorithm and signature, since a foreign request may ask for less than a
// certificate has.
std::vector<Finding> LintRequestInfoBytes(base::ByteView info);
std::vector<Finding> LintRequest(base::ByteView der);
std::vector<Finding> LintRequestProof(base::ByteView der);

// RequestInput is what a request needs beyond the profile of the certificate
// that it asks for.
struct RequestInput {
  base::PublicKey subject_key;
  SubjectValues subject = {};
  AlternativeNames alternative_names = {};  // none: left to the CA
};

// SignatureAlgorithmOf is the one a key signs its own request with: ECDSA with
// the digest of its curve, Ed25519, RSA PKCS#1 with SHA-256.
SignatureAlgorithm SignatureAlgorithmOf(base::KeyAlgorithm key);

// RequestInfo owns bytes and their decoded view. Copies share both.
class RequestInfo final {
 public:
  // Parse takes bytes that must be strict DER of a CertificationRequestInfo.
  static base::Result<RequestInfo> Parse(base::ByteView bytes);

  base::ByteView der() const;
  const RequestInfoView& view() const;
  base::Sha256Digest Digest() const;

 private:
  struct State;
  explicit RequestInfo(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

// BuildRequestInfo asks for the parts of a certificate that depend only on the profile
// and the key: the subject, and in extensionRequest each extension whose value is known
// without the issuer. Refusals: those of BuildName and CheckProfile, TBS-KEY-01,
// TBS-EXT-01 of CheckAlternativeNames.
base::Result<RequestInfo> BuildRequestInfo(const Profile& profile, const RequestInput& input);

// CompareRequestWithProfile holds a request against its profile and input.
Comparison CompareRequestWithProfile(const RequestInfoView& info, const Profile& profile, const RequestInput& input,
                                     const std::uint8_t* file_start);

class LintedRequestInfo final {
 public:
  const RequestInfo& info() const { return info_; }

 private:
  friend base::Result<LintedRequestInfo> LintRequestInfo(RequestInfo info);
  explicit LintedRequestInfo(RequestInfo info) : info_(std::move(info)) {}
  RequestInfo info_;
};
base::Result<LintedRequestInfo> LintRequestInfo(RequestInfo info);

class ComparedRequestInfo final {
 public:
  const RequestInfo& info() const { return linted_.info(); }
  const Comparison& comparison() const { return comparison_; }
  base::Sha256Digest Digest() const { return info().Digest(); }

 private:
  friend base::Result<ComparedRequestInfo> CompareRequestInfo(LintedRequestInfo linted, const Profile& profile,
                                                              const RequestInput& input);
  ComparedRequestInfo(LintedRequestInfo linted, Comparison comparison)
      : linted_(std::move(linted)), comparison_(std::move(comparison)) {}
  LintedRequestInfo linted_;
  Comparison comparison_;
};
// CompareRequestInfo refuses with COMPARE-01 (the profile) or COMPARE-02 (OpenSSL reads something else).
base::Result<ComparedRequestInfo> CompareRequestInfo(LintedRequestInfo linted, const Profile& profile,
                                                     const RequestInput& input);

class ApprovedRequestInfo final {
 public:
  base::ByteView to_be_signed() const { return compared_.info().der(); }
  const ComparedRequestInfo& compared() const { return compared_; }
  // signature_algorithm is that of the subject's own key.
  SignatureAlgorithm signature_algorithm() const { return algorithm_; }
  const base::PublicKey& subject_key() const { return key_; }

 private:
  friend base::Result<ApprovedRequestInfo> ApproveRequestInfo(ComparedRequestInfo compared,
                                                              const base::Sha256Digest& approved);
  ApprovedRequestInfo(ComparedRequestInfo compared, base::PublicKey key)
      : compared_(std::move(compared)), key_(std::move(key)), algorithm_(SignatureAlgorithmOf(key_.algorithm())) {}
  ComparedRequestInfo compared_;
  base::PublicKey key_;
  SignatureAlgorithm algorithm_;
};
base::Result<ApprovedRequestInfo> ApproveRequestInfo(ComparedRequestInfo compared, const base::Sha256Digest& approved);

// Request is a request that our own strict decoder accepts, whoever made it.
class Request final {
 public:
  static base::Result<Request> Parse(base::ByteView der);
  // FromPem takes exactly one CERTIFICATE REQUEST block.
  static base::Result<Request> FromPem(std::string_view pem);

  base::ByteView der() const;
  const RequestView& view() const;
  const RequestInfoView& info() const { return view().info; }
  std::string Pem() const;
  std::string Sha256Hex() const;
  // SubjectKey is the key as base::PublicKey, which judges it once more.
  base::Result<base::PublicKey> SubjectKey() const;
  // VerifyPossession checks the signature under the request's own key.
  base::Result<void> VerifyPossession() const;

 private:
  struct State;
  explicit Request(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

// FinishRequest trusts nothing, as FinishCertificate: the signature must verify
// under the subject's key, which must be the one approved.
base::Result<Request> FinishRequest(const ApprovedRequestInfo& approved, base::ByteView signature);

// OpensslReadsRequest is kCorrupt unless OpenSSL decodes the request, encodes it
// as the same bytes, and verifies its signature (`verify`).
enum class RequestCheck : std::uint8_t { kDecode, kDecodeAndVerify };
base::Result<void> OpensslReadsRequest(base::ByteView der, RequestCheck check);

// ImportedRequest is a foreign request that a profile's certificate may answer.
class ImportedRequest final {
 public:
  const Request& request() const { return request_; }
  const base::PublicKey& subject_key() const { return key_; }
  // subject holds the values that the profile leaves open, as the request has them.
  const SubjectValues& subject() const { return subject_; }
  // extensions and alternative_names hold the requested values of what the profile leaves open, for TbsInput.
  const OpenExtensions& extensions() const { return extensions_; }
  const AlternativeNames& alternative_names() const { return alternative_names_; }

 private:
  friend base::Result<ImportedRequest> ImportRequest(base::ByteView file, const Profile& profile);
  ImportedRequest(Request request, base::PublicKey key, SubjectValues subject, OpenExtensions extensions,
                  AlternativeNames alternative_names)
      : request_(std::move(request)),
        key_(std::move(key)),
        subject_(std::move(subject)),
        extensions_(std::move(extensions)),
        alternative_names_(std::move(alternative_names)) {}
  Request request_;
  base::PublicKey key_;
  SubjectValues subject_;
  OpenExtensions extensions_;
  AlternativeNames alternative_names_;
};

// ImportRequest takes a file of one request, as openssl, certtool, certutil and
// keytool write it: DER, or one PEM block of either label with explanations around it. Refusals:
//   CSR-SIZE-01     the file has more than kMostRequestOctets
//   CSR-FORM-01     it is no PEM or DER request at all (and DER-*, X509-*, CSR-* of the lint)
//   CSR-POSSESSION-01  the signature does not verify under the request's own key, or is of a weak algorithm
//   TBS-KEY-01      the key's algorithm is not among the profile's
//   CSR-KEY-01      base::PublicKey does not take the key (its size)
//   CSR-KEY-02      an RSA key has another exponent than 65537
//   KEY-WEAK-*      the key is weak (weak_key.h)
//   CSR-SUBJECT-01  the subject is not one that the profile allows
//   CSR-EXT-01      it asks for an extension that the profile does not have
//   CSR-EXT-02      it asks for an extension with another value or criticality than the profile's, or
//                   for alternative names that the profile does not leave open
inline constexpr std::size_t kMostRequestOctets = 65536;
base::Result<ImportedRequest> ImportRequest(base::ByteView file, const Profile& profile);

// SubjectValuesOf returns the values of a DER Name that the profile leaves open, if
// BuildName makes the same bytes of them. CSR-SUBJECT-01 otherwise.
base::Result<SubjectValues> SubjectValuesOf(const Profile& profile, base::ByteView name);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_REQUEST_H_
