#include "hsm/lookup.h"

#include <fmt/format.h>

#include <algorithm>

#include "hsm/base/encoding.h"
#include "hsm/describe.h"
#include "hsm/key_pair_mechanism.h"

namespace hsm {
namespace {

using base::KeyAlgorithm;
using base::PublicKey;

struct Candidate {
  Object object;
  Result<PublicKey> public_key;  // kNotFound: it shows none

  bool Is(const PublicKey& key) const { return public_key.ok() && *public_key == key; }
  // Whether it may be the private half of this key: a token need not show what it is.
  bool MayBe(const PublicKey& key) const { return Is(key) || ShowsNone(); }
  bool ShowsNone() const { return !public_key.ok() && public_key.error().code == ErrorCode::kNotFound; }
};

// Reads the objects' names and public keys.
Result<std::vector<Candidate>> ReadCandidates(Session& session, const Template& match) {
  KC_ASSIGN_OR_RETURN(const std::vector<CK_OBJECT_HANDLE> handles, session.FindHandles(match));
  // A module may refuse to be asked for what keys of the type do not have.
  const ByteView type = match.Value(CKA_KEY_TYPE);
  Template rsa;
  rsa.Number(CKA_KEY_TYPE, CKK_RSA);
  const bool only_rsa = std::ranges::equal(type, rsa.Value(CKA_KEY_TYPE));
  std::vector<CK_ATTRIBUTE_TYPE> types = {CKA_CLASS, CKA_KEY_TYPE, CKA_LABEL, CKA_ID, CKA_PUBLIC_KEY_INFO};
  if (only_rsa || type.empty()) types.insert(types.end(), {CKA_MODULUS, CKA_PUBLIC_EXPONENT});
  if (!only_rsa) types.insert(types.end(), {CKA_EC_PARAMS, CKA_EC_POINT});
  std::vector<Candidate> candidates;
  for (const CK_OBJECT_HANDLE handle : handles) {
    Result<AttributeSet> read = session.ReadAttributes(handle, types);
    if (!read.ok() && !(read.error().rv && SpeaksOfOneObject(session.quirks(), *read.error().rv)))
      return std::move(read).error();
    const AttributeSet attributes = read.ok() ? std::move(read).value() : AttributeSet();
    candidates.push_back({Object(handle, attributes), ReadPublicKey(attributes)});
  }
  return candidates;
}

Template KeysOf(CK_OBJECT_CLASS object_class, KeyAlgorithm algorithm) {
  Template match;
  match.Number(CKA_CLASS, object_class).Number(CKA_KEY_TYPE, KeyPairMechanismOf(algorithm).key_type);
  return match;
}

void KeepThoseOf(const PublicKey& key, std::vector<Candidate>& candidates) {
  std::erase_if(candidates, [&key](const Candidate& candidate) { return !candidate.Is(key); });
}

// The public objects of a key: by the token's own search where its point is
// spelled as the standard says, else by reading all keys of the type.
Result<std::vector<Candidate>> FindPublicObjects(Session& session, const PublicKey& key) {
  if (base::FactsOf(key.algorithm()).family == base::KeyFamily::kEc) {
    Template match = KeysOf(CKO_PUBLIC_KEY, key.algorithm());
    match.Raw(CKA_EC_POINT, EncodeEcPoint(key.EcPoint()));
    KC_ASSIGN_OR_RETURN(std::vector<Candidate> found, ReadCandidates(session, match));
    KeepThoseOf(key, found);
    if (!found.empty()) return found;
  }
  KC_ASSIGN_OR_RETURN(std::vector<Candidate> all, ReadCandidates(session, KeysOf(CKO_PUBLIC_KEY, key.algorithm())));
  KeepThoseOf(key, all);
  return all;
}

std::string NamesOf(const std::vector<Candidate>& candidates) {
  std::string names;
  for (const Candidate& candidate : candidates) names += (names.empty() ? "" : ", ") + candidate.object.Name();
  return names;
}

Error NotFound(const Session& session, const std::string& what, const std::string& why) {
  return base::MakeError(ErrorCode::kNotFound,
                         fmt::format("{} does not have {}: {}", session.token().Name(), what, why))
      .WithRule("KEY-FIND-01");
}

Error Ambiguous(const Session& session, const std::string& what, const std::vector<Candidate>& candidates) {
  return base::MakeError(ErrorCode::kAmbiguous, fmt::format("{} has {} objects for {}: {}", session.token().Name(),
                                                            candidates.size(), what, NamesOf(candidates)))
      .WithRule("KEY-FIND-02")
      .WithHint("a ceremony cannot choose between them: find out where the second one came from");
}

Error AnotherKey(const Session& session, const Candidate& found, const PublicKey& wanted) {
  const std::string what = found.public_key.ok() ? "key " + found.public_key->SpkiSha256Hex()
                                                 : "no key: " + found.public_key.error().message;
  return base::MakeError(ErrorCode::kCorrupt,
                         fmt::format("{} on {} is {}; its id leads to it from key {}", found.object.Name(),
                                     session.token().Name(), what, wanted.SpkiSha256Hex()))
      .WithRule("KEY-FIND-03");
}

Error Unusable(const Session& session, const Candidate& found) {
  return Error(found.public_key.error())
      .Prefixed(
          fmt::format("{} on {} shows no public key that can be used", found.object.Name(), session.token().Name()))
      .WithRule("KEY-FIND-03");
}

}  // namespace

Result<KeyPair> FindKeyBySpki(Session& session, const PublicKey& public_key) {
  const std::string what = "key " + public_key.SpkiSha256Hex();
  KC_ASSIGN_OR_RETURN(std::vector<Candidate> publics, FindPublicObjects(session, public_key));
  if (publics.size() > 1) return Ambiguous(session, what, publics);

  std::optional<Object> public_object;
  Template match = KeysOf(CKO_PRIVATE_KEY, public_key.algorithm());
  const bool by_id = !publics.empty() && !publics.front().object.id().empty();
  if (!publics.empty()) public_object = publics.front().object;
  if (by_id) match.Raw(CKA_ID, public_object->id());
  KC_ASSIGN_OR_RETURN(std::vector<Candidate> privates, ReadCandidates(session, match));
  // Without an id, only a private object that shows its public half can be told from others.
  if (!by_id) KeepThoseOf(public_key, privates);
  if (privates.empty()) {
    return NotFound(session, what,
                    public_object ? "its public key is there, no private key belongs to it"
                                  : "neither a public nor a private object shows it")
        .WithHint("private objects are visible to a user who is logged in");
  }
  if (privates.size() > 1) return Ambiguous(session, what, privates);
  const Candidate& found = privates.front();
  if (!found.MayBe(public_key)) return AnotherKey(session, found, public_key);
  return KeyPair{found.object, std::move(public_object), public_key};
}

Result<KeyPair> FindPrivateKey(Session& session, const std::string& label, ByteView id) {
  if (label.empty() && id.empty()) {
    return base::MakeError(ErrorCode::kInvalidInput, "a private key is named by label or id, both are empty");
  }
  const std::string what = fmt::format("private key \"{}\" (id {})", label.empty() ? "(any)" : label,
                                       id.empty() ? "(any)" : base::HexEncode(id));
  Template match;
  match.Number(CKA_CLASS, CKO_PRIVATE_KEY);
  if (!label.empty()) match.Text(CKA_LABEL, label);
  if (!id.empty()) match.Raw(CKA_ID, id);
  KC_ASSIGN_OR_RETURN(const std::vector<Candidate> privates, ReadCandidates(session, match));
  if (privates.empty()) {
    return NotFound(session, what, "no object matches")
        .WithHint("private objects are visible to a user who is logged in");
  }
  if (privates.size() > 1) return Ambiguous(session, what, privates);
  const Candidate& found = privates.front();

  std::vector<Candidate> publics;
  if (!found.object.id().empty()) {
    Template same_id;
    same_id.Number(CKA_CLASS, CKO_PUBLIC_KEY).Raw(CKA_ID, found.object.id());
    KC_ASSIGN_OR_RETURN(publics, ReadCandidates(session, same_id));
    if (publics.size() > 1) return Ambiguous(session, "the public half of " + found.object.Name(), publics);
  }
  if (publics.empty()) {
    if (found.ShowsNone()) {
      return NotFound(session, "the public half of " + found.object.Name(), "no object shows it");
    }
    if (!found.public_key.ok()) return Unusable(session, found);
    return KeyPair{found.object, std::nullopt, *found.public_key};
  }
  if (!publics.front().public_key.ok()) return Unusable(session, publics.front());
  const PublicKey& public_key = *publics.front().public_key;
  if (!found.MayBe(public_key)) return AnotherKey(session, found, public_key);
  return KeyPair{found.object, publics.front().object, public_key};
}

Result<void> DestroyKeyPair(Session& session, const KeyPair& pair) {
  const std::string left = pair.public_object ? pair.public_object->Name() : std::string();
  Result<void> destroyed = session.Destroy(pair.private_object);
  if (!destroyed.ok()) {
    Error error = std::move(destroyed).error();
    if (!left.empty()) error.message += fmt::format("; {} was not touched either", left);
    return error;
  }
  if (!pair.public_object) return {};
  return session.Destroy(*pair.public_object);
}

}  // namespace hsm
