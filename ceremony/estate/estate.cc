#include "ceremony/estate/estate.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "ceremony/estate/lookup.h"

namespace ceremony::estate {
namespace {

// An empty value is "not known yet" (a planned effect) and equals nothing.
bool Same(const std::string& a, std::string_view b) { return !a.empty() && a == b; }

}  // namespace

std::string Where(const Provenance& p) {
  return p.ceremony == "planned" ? std::string("an earlier step of this script")
                                 : fmt::format("ceremony {} (entry {})", p.ceremony, p.entry);
}

base::Result<void> Estate::Apply(const Effect& effect, const Provenance& provenance) {
  return std::visit([&](const auto& e) { return Take(e, provenance); }, effect);
}

base::Result<void> Estate::IsNewKey(const std::string& name, const std::string& spki_sha256) const {
  if (const Key* known = FindKey(name)) {
    return base::Refusal("EST-KEY-01", fmt::format("a key named {} exists since {}", name, Where(known->since)),
                         "one name is one key for ever: choose another name in the script");
  }
  if (const Key* known = FindKeyBySpki(spki_sha256)) {
    return base::Refusal("EST-KEY-02",
                         fmt::format("the public key {} of key {} already belongs to key {} since {}", spki_sha256,
                                     name, known->name, Where(known->since)),
                         "one key must never serve two CAs: stop, and find out where it comes from");
  }
  return {};
}

base::Result<void> Estate::Take(const KeyCreated& e, const Provenance& provenance) {
  KC_RETURN_IF_ERROR(IsNewKey(e.key, e.spki_sha256));
  KC_ASSIGN_OR_RETURN(Token * token, UsableToken(e.token, fmt::format("key {} is to be made on", e.key)));
  PutInService(*token, provenance);
  Copy original{e.token, e.serial, e.object_id, "original", provenance};
  original.extractable = e.extractable;
  Key key{e.key, e.algorithm, e.usage, e.spki_sha256, "active", e.extractable, {std::move(original)}, provenance};
  key.domain = token->domain;
  AddKey(std::move(key));
  return {};
}

base::Result<void> Estate::Take(const DocumentLodged& e, const Provenance& provenance) {
  documents_.push_back({e.name, e.kind, e.sha256, provenance});
  return {};
}

base::Result<void> Estate::Take(const SharesIssued& e, const Provenance& provenance) {
  if (FindToken(e.token) == nullptr) {
    return base::Refusal("EST-TOKEN-03",
                         fmt::format("shares are issued for token {}, which nobody commissioned", e.token),
                         "put a token.commission step before it, or correct the token's name");
  }
  if (const ShareSet* known = e.set.empty() ? nullptr : FindShareSet(e.set)) {
    return base::Refusal("EST-SHARES-01",
                         fmt::format("share set {} of token {} exists since {}", e.set, e.token, Where(known->since)));
  }
  const ShareSet* current = FindShares(e.token);
  // A planned set has no generation yet.
  const std::int64_t next = current == nullptr ? 1 : current->generation + 1;
  if (e.generation != 0 && e.generation != next) {
    return base::Refusal("EST-SHARES-02", fmt::format("share set {} of token {} has generation {}, expected {}", e.set,
                                                      e.token, e.generation, next));
  }
  for (ShareSet& set : share_sets_) {
    if (set.token == e.token) set.retired = true;
  }
  share_sets_.push_back({e.token, e.set, next, e.quorum, e.m, e.holders, provenance});
  return {};
}

const ShareHolder* ShareSet::FindHolder(std::string_view person) const {
  return FindIf(holders, [&](const ShareHolder& h) { return h.person == person; });
}

const ShareSet* Estate::FindShares(std::string_view token) const {
  return FindIf(share_sets_, [&](const ShareSet& s) { return s.token == token && !s.retired; });
}
std::vector<std::string> Estate::TokensOpenedBy(std::string_view person) const {
  std::vector<std::string> tokens;
  for (const ShareSet& set : share_sets_) {
    if (!set.retired && set.FindHolder(person) != nullptr) tokens.push_back(set.token);
  }
  return tokens;
}

const ShareSet* Estate::FindShareSet(std::string_view set) const {
  return FindIf(share_sets_, [&](const ShareSet& s) { return Same(s.set, set); });
}

const Token* Estate::FindToken(std::string_view name) const { return FindNamed(tokens_, name); }
const Token* Estate::FindTokenBySerial(std::string_view serial) const {
  return FindIf(tokens_, [&](const Token& t) { return Same(t.serial, serial) && !t.retired(); });
}

void Estate::AddKey(Key key) {
  key_names_.emplace(key.name, keys_.size());
  if (!key.spki_sha256.empty()) key_spkis_.emplace(key.spki_sha256, keys_.size());
  keys_.push_back(std::move(key));
}
void Estate::AddCertificate(Certificate certificate) {
  certificate_names_.emplace(certificate.name, certificates_.size());
  if (!certificate.serial.empty())
    certificate_serials_.emplace(certificate.issuer_key + " " + certificate.serial, certificates_.size());
  certificates_.push_back(std::move(certificate));
}

const Key* Estate::FindKey(std::string_view name) const {
  const auto found = key_names_.find(name);
  return found == key_names_.end() ? nullptr : &keys_[found->second];
}
const Key* Estate::FindKeyBySpki(std::string_view spki_sha256) const {
  const auto found = key_spkis_.find(spki_sha256);
  return found == key_spkis_.end() ? nullptr : &keys_[found->second];
}
std::vector<const Key*> Estate::KeysOn(std::string_view token) const {
  std::vector<const Key*> found;
  for (const Key& key : keys_) {
    if (key.FindCopy(token) != nullptr) found.push_back(&key);
  }
  return found;
}

}  // namespace ceremony::estate
