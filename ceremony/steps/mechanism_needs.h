// What the steps of a script ask of tokens: which mechanisms. token.verify and
// `token probe` read it.
#ifndef CEREMONY_STEPS_MECHANISM_NEEDS_H_
#define CEREMONY_STEPS_MECHANISM_NEEDS_H_

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/script/inputs.h"
#include "ceremony/script/script.h"
#include "hsm/base/public_key.h"

namespace ceremony::steps {

// MechanismNeed is what a step asks of a token: one of these mechanisms.
struct MechanismNeed {
  std::string token;                  // logical name
  std::vector<unsigned long> any_of;  // CK_MECHANISM_TYPE, the most wanted first
  std::string why;                    // "to make key root-oca (EC P-256)"
};

// NeedOfKeyPair and NeedOfSignature are what making a key, and signing with it, asks of a token.
MechanismNeed NeedOfKeyPair(const std::string& token, base::KeyAlgorithm algorithm, const std::string& key);
MechanismNeed NeedOfSignature(const std::string& token, base::KeyAlgorithm algorithm, const std::string& key);

// AlgorithmOfKey returns the algorithm of a key that the estate knows or the
// script makes; nullptr for another.
const base::KeyAlgorithmFacts* AlgorithmOfKey(const script::Inputs& inputs, const estate::Estate& estate,
                                              std::string_view key);

// NeedsOf is what one step asks for: key.generate its algorithm's mechanism, cert.* the
// signature of their profile, whatever else names a key and a token, and is approved as a
// result, a signature with that key.
std::vector<MechanismNeed> NeedsOf(const script::Step& step, const script::Inputs& inputs,
                                   const estate::Estate& estate);

// MechanismsNeeded lists what steps of the script ask of a token, from the step
// `from` on (empty: from the first), each need once.
std::vector<MechanismNeed> MechanismsNeeded(const script::Inputs& inputs, const estate::Estate& estate,
                                            std::string_view token, std::string_view from = {});

// IsMet tells whether a token with these mechanisms, by name, does what is asked.
bool IsMet(const MechanismNeed& need, const std::set<std::string>& has);

// NamesOf spells the mechanisms of a need: "CKM_RSA_PKCS or CKM_SHA256_RSA_PKCS".
std::string NamesOf(const MechanismNeed& need);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_MECHANISM_NEEDS_H_
