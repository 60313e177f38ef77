// Builds, lints and compares what the ceremony will sign, with stand-in keys and serials, so that it fails here and
// not in the room.
// Each function returns the first refusal of the chain (tbs.h, crl.h, request.h).
#ifndef CEREMONY_X509_TRIAL_H_
#define CEREMONY_X509_TRIAL_H_

#include <vector>

#include "ceremony/x509/crl.h"
#include "ceremony/x509/profile.h"
#include "ceremony/x509/request.h"
#include "ceremony/x509/tbs.h"
#include "hsm/base/bytes.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

// TrialKey is a public key of this kind, always the same one. Nobody has its private key.
base::PublicKey TrialKey(base::KeyAlgorithm algorithm);

// TrialOrder is what is known at the desk of a certificate that is to be made.
struct TrialOrder {
  base::KeyAlgorithm subject_key = base::KeyAlgorithm::kEcP256;
  base::Bytes issuer_name = {};  // DER; empty: not known
  SubjectValues subject = {};
  OpenExtensions extensions = {};
  AlternativeNames alternative_names = {};
};
base::Result<void> TryCertificate(const Profile& profile, const TrialOrder& order);
base::Result<void> TryRequest(const Profile& profile, const TrialOrder& order);

// TryCrl takes the reason of each certificate that is revoked; nullopt for none.
base::Result<void> TryCrl(const CrlProfile& profile, const base::Bytes& issuer_name,
                          const std::vector<std::optional<RevocationReason>>& reasons);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_TRIAL_H_
