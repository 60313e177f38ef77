#include "ceremony/script/roster_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hsm/base/encoding.h"

namespace ceremony::script {

const std::vector<base::KeyAlgorithm>& SignKeyAlgorithms() {
  static const std::vector<base::KeyAlgorithm> algorithms = {base::KeyAlgorithm::kEcP256, base::KeyAlgorithm::kEd25519};
  return algorithms;
}

const std::vector<base::KeyAlgorithm>& OpenKeyAlgorithms() {
  static const std::vector<base::KeyAlgorithm> algorithms = {base::KeyAlgorithm::kEcP256};
  return algorithms;
}

void RosterKeys::Check(const Node& person, std::string_view member, const std::vector<base::KeyAlgorithm>& allowed) {
  const Node* node = person.Find(member);
  if (node == nullptr) return;
  const auto add = [&](std::string_view rule, std::string message) {
    AddProblem(document_, *node, PlaceOf::kValue, rule, std::move(message), "", problems_);
  };
  const auto der = base::Base64Decode(node->text());
  const auto key = der.ok() ? base::PublicKey::FromSpki(*der) : base::Result<base::PublicKey>(der.error());
  if (!key.ok()) {
    add(kRuleValue, "expected base64 of a DER SubjectPublicKeyInfo: " + key.error().message);
    return;
  }
  if (std::find(allowed.begin(), allowed.end(), key->algorithm()) == allowed.end()) {
    std::string names;
    for (const base::KeyAlgorithm algorithm : allowed)
      names += (names.empty() ? "" : " or ") + std::string(base::FactsOf(algorithm).title);
    add(kRuleValue, fmt::format("expected a key of type {}, found {}", names, base::FactsOf(key->algorithm()).title));
    return;
  }
  const auto [first, is_new] = seen_.emplace(node->text(), node->Pointer());
  if (!is_new) add(kRuleSameName, "expected a key of its own, found that of " + first->second);
}

}  // namespace ceremony::script
