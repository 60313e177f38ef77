// The mechanisms that the steps of a script need. Kinds declare them with these
// functions (StepKind::Mechanisms); token.verify, `token probe` and `check` read them.
#ifndef CEREMONY_STEPS_MECHANISM_NEEDS_H_
#define CEREMONY_STEPS_MECHANISM_NEEDS_H_

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/script/inputs.h"
#include "ceremony/script/script.h"
#include "ceremony/steps/mechanism_need.h"
#include "hsm/base/public_key.h"

namespace ceremony::steps {

// A transport by RSA-OAEP, with whichever digest.
inline constexpr std::string_view kAnyOaep = "rsa-oaep";

// NeedOfKeyPair and NeedOfSignature are what making a key, and signing with it, asks of a
// token; NeedsToSend and NeedsToReceive what it asks of the two ends of a copy by PKCS#11: key
// wrap (RFC 5649), and a way for the AES key (`transport` as in key.clone, "best", or kAnyOaep).
MechanismNeed NeedOfKeyPair(const std::string& token, base::KeyAlgorithm algorithm, const std::string& key);
MechanismNeed NeedOfSignature(const std::string& token, base::KeyAlgorithm algorithm, const std::string& key);
std::vector<MechanismNeed> NeedsToSend(const std::string& token, std::string_view transport, const std::string& key);
std::vector<MechanismNeed> NeedsToReceive(const std::string& token, std::string_view transport, const std::string& key);
// NeedToTrySeal is for the proof that a sealed key stays: a wrap that the token refuses.
MechanismNeed NeedToTrySeal(const std::string& token);

// AlgorithmOfKey returns the algorithm of a key that the estate knows or the
// script makes; nullptr for another.
const base::KeyAlgorithmFacts* AlgorithmOfKey(const script::Inputs& inputs, const estate::Estate& estate,
                                              std::string_view key);

// KeyOfCertificate returns the subject key of a certificate that the estate has or the
// script makes; empty for another.
std::string KeyOfCertificate(const script::Inputs& inputs, const estate::Estate& estate,
                             const std::string& certificate);

// NeedsToSign is the need for signing with a key on a token; nothing while the
// key's algorithm is unknown.
std::vector<MechanismNeed> NeedsToSign(const std::string& token, const std::string& key, const script::Inputs& inputs,
                                       const estate::Estate& estate);

// NeedsToCertify is the need of a step `cert.*`: the signature of its profile, whichever key
// is certified.
std::vector<MechanismNeed> NeedsToCertify(const script::Step& step, const script::Inputs& inputs);

// MechanismsNeeded lists the needs of the script's steps on a token, from the step
// `from` on (empty: from the first), each need once.
std::vector<MechanismNeed> MechanismsNeeded(const script::Inputs& inputs, const estate::Estate& estate,
                                            std::string_view token, std::string_view from = {});

// IsMet tells whether a token with these mechanisms, by name, meets the need.
bool IsMet(const MechanismNeed& need, const std::set<std::string>& has);

// NamesOf spells the mechanisms of a need: "CKM_RSA_PKCS or CKM_SHA256_RSA_PKCS".
std::string NamesOf(const MechanismNeed& need);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_MECHANISM_NEEDS_H_
