#include "ceremony/steps/mechanism_needs.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/steps/catalogue.h"
#include "ceremony/x509/signature_algorithm.h"
#include "hsm/describe.h"
#include "hsm/keygen_plan.h"
#include "hsm/sign.h"

namespace ceremony::steps {
namespace {

// The signature of a certificate is its profile's, whichever key is certified.
const x509::SignatureAlgorithmFacts* SignatureOf(const script::Step& step, const script::Inputs& inputs) {
  if (!step.kind.starts_with("cert.")) return nullptr;
  const std::vector<std::string> profiles = step.NamesOf(script::Reference::kProfile);
  const script::ProfileFile* file = profiles.empty() ? nullptr : inputs.FindProfile(profiles.front());
  return file == nullptr ? nullptr : &x509::FactsOf(file->profile.signature_algorithm);
}

}  // namespace

MechanismNeed NeedOfKeyPair(const std::string& token, base::KeyAlgorithm algorithm, const std::string& key) {
  return {token,
          {hsm::KeyPairMechanismOf(algorithm).mechanism},
          fmt::format("to make key {} ({})", key, base::FactsOf(algorithm).title)};
}

MechanismNeed NeedOfSignature(const std::string& token, base::KeyAlgorithm algorithm, const std::string& key) {
  return {token, hsm::SigningMechanisms(hsm::DefaultScheme(algorithm)),
          fmt::format("to sign with key {} ({})", key, base::FactsOf(algorithm).title)};
}

const base::KeyAlgorithmFacts* AlgorithmOfKey(const script::Inputs& inputs, const estate::Estate& estate,
                                              std::string_view key) {
  if (const estate::Key* known = estate.FindKey(key)) return base::FindKeyAlgorithm(known->algorithm);
  for (const script::Section& section : inputs.script.sections) {
    for (const script::Step& step : section.steps) {
      if (step.kind == "key.generate" && step.fields.Text("key") == key)
        return base::FindKeyAlgorithm(step.fields.Text("algorithm"));
    }
  }
  return nullptr;
}

std::vector<MechanismNeed> NeedsOf(const script::Step& step, const script::Inputs& inputs,
                                   const estate::Estate& estate) {
  const std::vector<std::string> tokens = step.NamesOf(script::Reference::kToken);
  if (tokens.empty()) return {};
  if (const x509::SignatureAlgorithmFacts* signature = SignatureOf(step, inputs))
    return {{tokens.front(), hsm::SigningMechanisms(signature->scheme),
             fmt::format("to sign certificate {} ({})", step.fields.Text("certificate"), signature->name)}};
  const std::vector<std::string> keys = step.NamesOf(script::Reference::kKey);
  const StepKind* kind = Catalogue().Find(step.kind);
  if (kind == nullptr || keys.empty()) return {};
  const base::KeyAlgorithmFacts* facts = AlgorithmOfKey(inputs, estate, keys.front());
  if (step.kind == "key.generate") {
    facts = base::FindKeyAlgorithm(step.fields.Text("algorithm"));
    return {NeedOfKeyPair(tokens.front(), facts->algorithm, keys.front())};
  }
  if (facts == nullptr || kind->approved() != Approved::kResult) return {};
  return {NeedOfSignature(tokens.front(), facts->algorithm, keys.front())};
}

std::vector<MechanismNeed> MechanismsNeeded(const script::Inputs& inputs, const estate::Estate& estate,
                                            std::string_view token, std::string_view from) {
  std::vector<MechanismNeed> needs;
  bool begun = from.empty();
  for (const script::Section& section : inputs.script.sections) {
    for (const script::Step& step : section.steps) {
      begun = begun || step.id == from;
      if (!begun) continue;
      for (MechanismNeed& need : NeedsOf(step, inputs, estate)) {
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
