#include "ceremony/estate/estate.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace ceremony::estate {
namespace {

template <typename T, typename Predicate>
const T* FindIf(const std::vector<T>& all, Predicate predicate) {
  const auto found = std::find_if(all.begin(), all.end(), predicate);
  return found == all.end() ? nullptr : &*found;
}

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

base::Result<void> Estate::Take(const TokenCommissioned& e, const Provenance& provenance) {
  if (const Token* known = FindToken(e.token)) {
    return base::Refusal("EST-TOKEN-01",
                         fmt::format("token {} is already in service since {}", e.token, Where(known->since)),
                         "commission a new token under a name of its own, or retire this one first");
  }
  if (const Token* known = FindTokenBySerial(e.serial)) {
    return base::Refusal("EST-TOKEN-02",
                         fmt::format("the token with serial {} is already in service as {}", e.serial, known->name),
                         "check which device is plugged in and what the binding says");
  }
  tokens_.push_back(
      {e.token, e.label, e.serial, e.manufacturer, e.model, e.firmware, e.role, e.domain, "in service", provenance});
  return {};
}

base::Result<void> Estate::Take(const KeyCreated& e, const Provenance& provenance) {
  if (const Key* known = FindKey(e.key)) {
    return base::Refusal("EST-KEY-01", fmt::format("a key named {} exists since {}", e.key, Where(known->since)),
                         "one name is one key for ever: choose another name in the script");
  }
  if (const Key* known = FindKeyBySpki(e.spki_sha256)) {
    return base::Refusal("EST-KEY-02",
                         fmt::format("the public key {} of key {} already belongs to key {} since {}", e.spki_sha256,
                                     e.key, known->name, Where(known->since)),
                         "one key must never serve two CAs: stop, and find out where this token got its key");
  }
  if (FindToken(e.token) == nullptr) {
    return base::Refusal("EST-TOKEN-03",
                         fmt::format("key {} is to be made on token {}, which nobody commissioned", e.key, e.token),
                         "put a token.commission step before it, or correct the token's name");
  }
  Copy original{e.token, e.serial, e.object_id, "original", provenance};
  keys_.push_back(
      {e.key, e.algorithm, e.usage, e.spki_sha256, "active", e.extractable, {std::move(original)}, provenance});
  return {};
}

base::Result<void> Estate::Take(const CertificateIssued& e, const Provenance& provenance) {
  if (const Certificate* known = FindCertificate(e.certificate)) {
    return base::Refusal("EST-CERT-01",
                         fmt::format("a certificate named {} exists since {}", e.certificate, Where(known->since)),
                         "choose another name in the script");
  }
  if (FindKey(e.issuer_key) == nullptr) {
    return base::Refusal(
        "EST-KEY-03",
        fmt::format("certificate {} is to be signed by key {}, which does not exist", e.certificate, e.issuer_key),
        "put a key.generate step before it, or correct the key's name");
  }
  const Certificate* twin = FindIf(
      certificates_, [&](const Certificate& c) { return c.issuer_key == e.issuer_key && Same(c.serial, e.serial); });
  if (twin != nullptr) {
    return base::Refusal("EST-CERT-02",
                         fmt::format("key {} already signed serial {} as {}", e.issuer_key, e.serial, twin->name),
                         "a serial number is used once (RFC 5280 4.1.2.2): run the step again for a new one");
  }
  certificates_.push_back({e.certificate, e.profile, e.key, e.issuer_key, e.subject, e.serial, e.not_before,
                           e.not_after, e.sha256, e.artefact, provenance});
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

const Token* Estate::FindToken(std::string_view name) const {
  return FindIf(tokens_, [&](const Token& t) { return t.name == name; });
}
const Token* Estate::FindTokenBySerial(std::string_view serial) const {
  return FindIf(tokens_, [&](const Token& t) { return Same(t.serial, serial); });
}
const Key* Estate::FindKey(std::string_view name) const {
  return FindIf(keys_, [&](const Key& k) { return k.name == name; });
}
const Key* Estate::FindKeyBySpki(std::string_view spki_sha256) const {
  return FindIf(keys_, [&](const Key& k) { return Same(k.spki_sha256, spki_sha256); });
}
const Certificate* Estate::FindCertificate(std::string_view name) const {
  return FindIf(certificates_, [&](const Certificate& c) { return c.name == name; });
}
const Certificate* Estate::FindCertificateOfKey(std::string_view key) const {
  const auto found =
      std::find_if(certificates_.rbegin(), certificates_.rend(), [&](const Certificate& c) { return c.key == key; });
  return found == certificates_.rend() ? nullptr : &*found;
}

std::vector<const Key*> Estate::KeysOn(std::string_view token) const {
  std::vector<const Key*> found;
  for (const Key& key : keys_) {
    if (FindIf(key.copies, [&](const Copy& c) { return c.token == token; }) != nullptr) found.push_back(&key);
  }
  return found;
}

}  // namespace ceremony::estate
