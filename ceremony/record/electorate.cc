#include "ceremony/record/electorate.h"

namespace ceremony::record {

Electorate Electorate::OfQuorum(const Trust::Quorum& quorum) {
  Electorate electorate;
  electorate.keys_ = quorum.keys;
  electorate.m_ = quorum.m;
  return electorate;
}

Electorate Electorate::OfPolicy(const Policy& policy) {
  Electorate electorate;
  electorate.keys_ = policy.Keys();
  electorate.m_ = policy.Evaluate({}).needed;
  electorate.policy_ = policy;
  return electorate;
}

Electorate Electorate::OfAnyNamed(const Policy& policy, std::size_t m) {
  Electorate electorate;
  electorate.keys_ = policy.Keys();
  electorate.m_ = m;
  return electorate;
}

std::size_t Electorate::people() const {
  std::set<std::string_view> names;
  for (const VerifierKey& key : keys_) names.insert(key.name());
  return names.size();
}

std::optional<std::size_t> Electorate::Find(const SignatureLine& line) const {
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (line.IsBy(keys_[i])) return i;
  }
  return std::nullopt;
}

std::size_t Electorate::CountPeople(const std::set<std::size_t>& signers) const {
  std::set<std::string_view> names;
  for (const std::size_t signer : signers) names.insert(keys_[signer].name());
  return names.size();
}

bool Electorate::IsEnough(const std::set<std::size_t>& signers) const {
  if (m_ == 0) return false;  // a policy without a quorum satisfies nobody
  if (!policy_) return CountPeople(signers) >= m_;
  const std::vector<std::size_t> list(signers.begin(), signers.end());
  return policy_->Evaluate(list).met;
}

}  // namespace ceremony::record
