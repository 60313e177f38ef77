#include "ceremony/steps/mechanism_needs.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/steps/catalogue.h"
#include "ceremony/steps/copy_ways.h"
#include "hsm/cryptoki.h"
#include "hsm/describe.h"
#include "hsm/key_pair_mechanism.h"
#include "hsm/sign.h"
#include "hsm/transport.h"

namespace ceremony::steps {
namespace {

// How the AES key that wraps a copy may travel.
std::vector<unsigned long> TransportMechanisms(std::string_view transport) {
  if (transport == hsm::TransportName(hsm::Transport::kEcdh)) return {CKM_ECDH1_DERIVE};
  if (transport == kBestTransport) return {CKM_RSA_PKCS_OAEP, CKM_ECDH1_DERIVE};
  return {CKM_RSA_PKCS_OAEP};
}

}  // namespace

MechanismNeed NeedOfKeyPair(const std::string& token, base::KeyAlgorithm algorithm, const std::string& key) {
  return {token,
          {hsm::KeyPairMechanismOf(algorithm).generates},
          fmt::format("to make key {} ({})", key, base::FactsOf(algorithm).title)};
}

MechanismNeed NeedOfSignature(const std::string& token, base::KeyAlgorithm algorithm, const std::string& key) {
  return {token, hsm::SigningMechanisms(hsm::DefaultScheme(algorithm)),
          fmt::format("to sign with key {} ({})", key, base::FactsOf(algorithm).title)};
}

std::vector<MechanismNeed> NeedsToSend(const std::string& token, std::string_view transport, const std::string& key) {
  const std::string why = fmt::format("to send key {}", key);
  return {{token, {CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD}, why}, {token, TransportMechanisms(transport), why}};
}

std::vector<MechanismNeed> NeedsToReceive(const std::string& token, std::string_view transport,
                                          const std::string& key) {
  const std::string why = fmt::format("to take in key {}", key);
  return {{token, {CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD}, why}, {token, TransportMechanisms(transport), why}};
}

MechanismNeed NeedToTrySeal(const std::string& token) {
  return {token, {CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD}, "to show that a sealed key stays"};
}

const base::KeyAlgorithmFacts* AlgorithmOfKey(const script::Inputs& inputs, const estate::Estate& estate,
                                              std::string_view key) {
  if (const estate::Key* known = estate.FindKey(key)) return base::FindKeyAlgorithm(known->algorithm);
  for (const script::Section& section : inputs.script.sections) {
    for (const script::Step& step : section.steps) {
      if ((step.kind == "key.generate" || step.kind == "key.transport") && step.fields.Text("key") == key)
        return base::FindKeyAlgorithm(step.fields.Text("algorithm"));
    }
  }
  return nullptr;
}

std::string KeyOfCertificate(const script::Inputs& inputs, const estate::Estate& estate,
                             const std::string& certificate) {
  if (const estate::Certificate* known = estate.FindCertificate(certificate)) return known->key;
  for (const script::Section& section : inputs.script.sections) {
    for (const script::Step& step : section.steps) {
      if (step.fields.Has("certificate") && step.fields.Has("key") && step.fields.Text("certificate") == certificate)
        return step.fields.Text("key");
    }
  }
  return {};
}

std::vector<MechanismNeed> NeedsToSign(const std::string& token, const std::string& key, const script::Inputs& inputs,
                                       const estate::Estate& estate) {
  const base::KeyAlgorithmFacts* facts = AlgorithmOfKey(inputs, estate, key);
  if (facts == nullptr) return {};
  return {NeedOfSignature(token, facts->algorithm, key)};
}

std::vector<MechanismNeed> NeedsToCertify(const script::Step& step, const script::Inputs& inputs) {
  const script::ProfileFile* file = inputs.FindProfile(step.fields.Text("profile"));
  if (file == nullptr) return {};
  const x509::SignatureAlgorithmFacts& signature = x509::FactsOf(file->profile.signature_algorithm);
  return {{step.fields.Text("token"), hsm::SigningMechanisms(signature.scheme),
           fmt::format("to sign certificate {} ({})", step.fields.Text("certificate"), signature.name)}};
}

std::vector<MechanismNeed> MechanismsNeeded(const script::Inputs& inputs, const estate::Estate& estate,
                                            std::string_view token, std::string_view from) {
  std::vector<MechanismNeed> needs;
  bool begun = from.empty();
  for (const script::Section& section : inputs.script.sections) {
    for (const script::Step& step : section.steps) {
      begun = begun || step.id == from;
      if (!begun) continue;
      const StepKind* kind = Catalogue().Find(step.kind);
      if (kind == nullptr) continue;
      for (MechanismNeed& need : kind->Mechanisms(step, inputs, estate)) {
        const bool known = std::ranges::any_of(needs, [&](const MechanismNeed& n) { return n.any_of == need.any_of; });
        if (need.token == token && !known) needs.push_back(std::move(need));
      }
    }
  }
  return needs;
}

bool IsMet(const MechanismNeed& need, const std::set<std::string>& has) {
  return std::ranges::any_of(need.any_of,
                             [&](unsigned long mechanism) { return has.contains(hsm::MechanismName(mechanism)); });
}

std::string NamesOf(const MechanismNeed& need) {
  std::string names;
  for (const unsigned long mechanism : need.any_of)
    names += (names.empty() ? "" : " or ") + hsm::MechanismName(mechanism);
  return names;
}

}  // namespace ceremony::steps
