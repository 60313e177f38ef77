#include "hsm/wrap.h"

#include <fmt/format.h>

#include <algorithm>

#include "hsm/base/encoding.h"
#include "hsm/describe.h"
#include "hsm/imported_key.h"
#include "hsm/keygen_plan.h"
#include "hsm/lookup.h"
#include "hsm/public_object.h"
#include "hsm/sign.h"

namespace hsm {
namespace {

// RFC 5649: at least one block and the length block, always whole blocks.
constexpr std::size_t kMinWrapped = 16;
constexpr std::size_t kBlock = 8;

bool IsRsa(base::KeyAlgorithm algorithm) { return base::FactsOf(algorithm).family == base::KeyFamily::kRsa; }

std::string Whose(const Session& session, const KeyPairSpec& spec) {
  return fmt::format("the copy \"{}\" on {}", spec.label, session.token().Name());
}

Result<void> CheckRoom(Session& session, const base::PublicKey& public_key, const KeyPairSpec& spec) {
  KC_RETURN_IF_ERROR(CheckKeyPairSpec(spec));
  if (spec.algorithm != public_key.algorithm()) {
    return base::MakeError(ErrorCode::kInvalidInput, fmt::format("the copy \"{}\" is planned as {}, the key is {}",
                                                                 spec.label, base::FactsOf(spec.algorithm).title,
                                                                 base::FactsOf(public_key.algorithm()).title));
  }
  const Result<KeyPair> there = FindKeyBySpki(session, public_key);
  if (there.ok() || there.error().code != ErrorCode::kNotFound) {
    if (!there.ok() && there.error().code != ErrorCode::kAmbiguous && there.error().code != ErrorCode::kCorrupt) {
      return there.error();
    }
    return base::Refusal("KEY-COPY-01",
                         fmt::format("{} has key {} already{}", session.token().Name(), public_key.SpkiSha256Hex(),
                                     there.ok() ? " as " + there->private_object.Name() : std::string()),
                         "a second copy on one token could not be told from the first");
  }
  Template same_id;
  same_id.Raw(CKA_ID, spec.id);
  KC_ASSIGN_OR_RETURN(const std::vector<Object> taken, session.FindAll(same_id));
  if (!taken.empty()) {
    return base::Refusal("KEY-COPY-02", fmt::format("id {} of {} is taken by {}", base::HexEncode(spec.id),
                                                    Whose(session, spec), taken.front().Name()));
  }
  return {};
}

// The public object of a copy: what key generation states.
Result<PublicObject> MakePublicHalf(Session& session, const base::PublicKey& public_key, const KeyPairSpec& spec,
                                    std::vector<Object>& left_behind) {
  Template stated = PublicTemplate(spec, session.quirks());
  stated.Remove(CKA_MODULUS_BITS);  // a token finds it from the modulus
  return MakePublicObject(session, public_key, std::move(stated), "the public object of " + Whose(session, spec),
                          "KEY-ATTR-11", left_behind);
}

// Asks for the key material in clear, as anybody with the PIN could.
Result<void> TryToRead(Session& session, const Object& object, const KeyPairSpec& spec) {
  static constexpr CK_ATTRIBUTE_TYPE kRsaSecrets[] = {CKA_PRIVATE_EXPONENT, CKA_PRIME_1,    CKA_PRIME_2,
                                                      CKA_EXPONENT_1,       CKA_EXPONENT_2, CKA_COEFFICIENT};
  static constexpr CK_ATTRIBUTE_TYPE kOtherSecrets[] = {CKA_VALUE};
  const std::span<const CK_ATTRIBUTE_TYPE> secrets =
      IsRsa(spec.algorithm) ? std::span<const CK_ATTRIBUTE_TYPE>(kRsaSecrets) : kOtherSecrets;
  for (const CK_ATTRIBUTE_TYPE type : secrets) {
    CK_ATTRIBUTE attribute{type, nullptr, 0};
    const CK_RV rv = session.api().GetAttributeValue(session.handle(), object.handle(), &attribute, 1);
    if (rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID) continue;
    if (rv != CKR_OK) {
      return CallError(Function::kGetAttributeValue, rv,
                       "trying whether the value can be read of " + Whose(session, spec));
    }
    if (attribute.ulValueLen == 0 || attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION) continue;
    return base::MakeError(ErrorCode::kCorrupt, fmt::format("{} shows {} in clear ({} bytes)", Whose(session, spec),
                                                            AttributeName(type), attribute.ulValueLen))
        .WithRule("KEY-COPY-03")
        .WithHint("this module does not protect keys that come in; do not copy keys of a ceremony to it");
  }
  return {};
}

// Why there is no try: the token may wrap in other ways, which a copy could take.
std::string WrapsNot(const Session& session) {
  return fmt::format("the token does not list {} with CKF_WRAP", MechanismName(session.quirks().kwp_mechanism));
}

enum class Leaving : std::uint8_t { kRefused, kCameOut };

// Tries to take a key out under an AES key. One answer says that it may not leave: CKR_KEY_UNEXTRACTABLE. Others, also
// CKR_KEY_NOT_WRAPPABLE, "although its CKA_EXTRACTABLE attribute is set to CK_TRUE" (2.40 section 5.1.6), say that this
// try proves nothing. SoftHSM and openCryptoki look at CKA_EXTRACTABLE before they look at the kind of key.
Result<Leaving> TryToWrap(Session& session, const Object& aes_key, CK_MECHANISM_TYPE mechanism, const Object& key) {
  KC_ASSIGN_OR_RETURN(const WrapOutcome out, WrapOut(session, {mechanism, nullptr, 0}, MechanismName(mechanism),
                                                     aes_key, key, "the key came out although it must not"));
  if (out.rv == CKR_OK) return Leaving::kCameOut;
  if (out.rv == CKR_KEY_UNEXTRACTABLE) return Leaving::kRefused;
  return CallError(Function::kWrapKey, out.rv,
                   fmt::format("trying whether {} can leave {}", key.Name(), session.token().Name()))
      .WithRule("KEY-SEAL-02");
}

// The message is text that no certificate, list or record can be mistaken for, unless the caller has its own.
Result<Bytes> TryToSign(Session& session, const KeyPair& pair, const KeyPairSpec& spec, ByteView proof) {
  Bytes message = base::ToBytes(proof);
  if (message.empty()) {
    KC_ASSIGN_OR_RETURN(const Bytes nonce, session.GenerateRandom(16));
    message = base::ToBytes(base::AsBytes(fmt::format("keyceremony proof of copy\nkey {}\ntoken {}\nnonce {}\n",
                                                      pair.public_key.SpkiSha256Hex(), session.token().info().serial,
                                                      base::HexEncode(nonce))));
  }
  Result<Bytes> signature =
      Sign(session, pair, DefaultScheme(pair.public_key.algorithm()), message, Consequence::kProof);
  if (signature.ok() || signature.error().code != ErrorCode::kCorrupt) return signature;
  return Error(signature.error()).Prefixed(Whose(session, spec) + " does not sign as the key").WithRule("KEY-COPY-05");
}

Result<void> Try(Session& session, const Object& aes_key, const WantedCopy& wanted, KeyCopy& copy) {
  const KeyPair& pair = copy.pair;
  const KeyPairSpec& spec = wanted.spec;
  std::vector<std::string>& trials = copy.trials;
  KC_RETURN_IF_ERROR(TryToRead(session, pair.private_object, spec));
  trials.emplace_back("its value cannot be read");
  KC_ASSIGN_OR_RETURN(const CK_MECHANISM_TYPE kwp, KwpMechanism(session.token(), CKF_WRAP));
  if (spec.extractable == Extractable::kYes) {
    trials.emplace_back("it may be wrapped, as planned");
  } else if (kwp == 0) {
    trials.push_back("wrapping it was not tried: " + WrapsNot(session));
  } else {
    KC_ASSIGN_OR_RETURN(const Leaving leaving, TryToWrap(session, aes_key, kwp, pair.private_object));
    if (leaving == Leaving::kCameOut) {
      return base::MakeError(
                 ErrorCode::kCorrupt,
                 fmt::format("{} says CKA_EXTRACTABLE false, and was wrapped all the same", Whose(session, spec)))
          .WithRule("KEY-COPY-04")
          .WithHint("on this module a sealed key can leave; do not copy keys of a ceremony to it");
    }
    trials.emplace_back("wrapping it is refused");
  }
  if (spec.usage.sign) {
    KC_ASSIGN_OR_RETURN(copy.signature, TryToSign(session, pair, spec, wanted.proof));
    trials.emplace_back("it signs as the key");
  } else {
    trials.emplace_back("it does not sign, so that its private half was not tried");
  }
  return {};
}

Result<KeyCopy> BringIn(Session& session, const Object& aes_key, CK_MECHANISM_TYPE mechanism_type, ByteView wrapped,
                        const WantedCopy& wanted, std::vector<Object>& left_behind) {
  const KeyPairSpec& spec = wanted.spec;
  const base::PublicKey& public_key = wanted.public_key;
  Template stated = PrivateTemplate(spec, session.quirks());
  if (session.quirks().unwrap_needs_nss_db && base::FactsOf(spec.algorithm).family == base::KeyFamily::kEc) {
    stated.Raw(CKA_NSS_DB, public_key.EcPoint());
  }
  ConsequentialCall call = PlanCall(session, Function::kUnwrapKey);
  call.mechanism = MechanismName(mechanism_type);
  call.object = aes_key.Name();
  call.attributes = stated.Describe();
  call.planned_id = base::HexEncode(spec.id);
  call.planned_label = spec.label;
  // ImportKey compares what is stated; NSS keeps its own attribute to itself.
  Template compared = PrivateTemplate(spec, session.quirks());
  CK_MECHANISM mechanism{mechanism_type, nullptr, 0};
  Bytes in = base::ToBytes(wrapped);
  KC_ASSIGN_OR_RETURN(const ImportedKey imported, ImportKey(
                                                      session, std::move(call), compared, kPublicKeyAttributes,
                                                      [&](std::span<CK_ATTRIBUTE>, CK_OBJECT_HANDLE* handle) {
                                                        const std::span<CK_ATTRIBUTE> native = stated.Native();
                                                        return session.api().UnwrapKey(
                                                            session.handle(), &mechanism, aes_key.handle(), in.data(),
                                                            in.size(), native.data(), native.size(), handle);
                                                      },
                                                      left_behind));
  if (!imported.differences.empty()) return DifferencesError(Whose(session, spec), imported.differences);
  const Result<base::PublicKey> shown = ReadPublicKey(imported.attributes);
  // Many tokens show no public key in a private object; what one shows must be this key.
  if (shown.ok() ? !(*shown == public_key) : shown.error().code != ErrorCode::kNotFound) {
    return base::MakeError(ErrorCode::kCorrupt, fmt::format("{} is {}, key {} was to be copied", Whose(session, spec),
                                                            shown.ok() ? "key " + shown->SpkiSha256Hex()
                                                                       : "no key: " + shown.error().message,
                                                            public_key.SpkiSha256Hex()))
        .WithRule("KEY-ATTR-11");
  }

  KC_ASSIGN_OR_RETURN(PublicObject public_half, MakePublicHalf(session, public_key, spec, left_behind));
  Description attributes = imported.attributes.Describe("private.");
  std::ranges::move(public_half.attributes.Describe("public."), std::back_inserter(attributes));
  KeyCopy copy{KeyPair{imported.object, std::move(public_half.object), public_key},
               std::move(attributes),
               imported.repaired,
               {}};
  KC_RETURN_IF_ERROR(Try(session, aes_key, wanted, copy));
  return copy;
}

}  // namespace

Result<Bytes> WrapPrivateKey(Session& session, const Object& aes_key, CK_MECHANISM_TYPE mechanism,
                             const Object& private_key) {
  KC_ASSIGN_OR_RETURN(WrapOutcome out,
                      WrapOut(session, {mechanism, nullptr, 0}, MechanismName(mechanism), aes_key, private_key, {}));
  if (out.rv != CKR_OK) {
    Error error = CallError(Function::kWrapKey, out.rv,
                            fmt::format("wrapping {} on {}", private_key.Name(), session.token().Name()));
    if (out.rv == CKR_KEY_UNEXTRACTABLE) {
      return std::move(error).WithHint("the key was made or sealed so that no copy of it can be taken");
    }
    return error;
  }
  if (out.wrapped.size() < kMinWrapped || out.wrapped.size() % kBlock != 0) {
    return base::MakeError(
               ErrorCode::kCorrupt,
               fmt::format("{} wrapped {} to {} bytes, expected a multiple of {} from {}", session.token().Name(),
                           private_key.Name(), out.wrapped.size(), kBlock, kMinWrapped))
        .WithRule("WRAP-SIZE-01");
  }
  return std::move(out.wrapped);
}

KeyCopying UnwrapPrivateKey(Session& session, const Object& aes_key, CK_MECHANISM_TYPE mechanism, ByteView wrapped,
                            const WantedCopy& wanted) {
  if (Result<void> room = CheckRoom(session, wanted.public_key, wanted.spec); !room.ok())
    return {std::move(room).error(), {}};
  std::vector<Object> left_behind;
  Result<KeyCopy> copy = BringIn(session, aes_key, mechanism, wrapped, wanted, left_behind);
  if (copy.ok()) return {std::move(copy), {}};
  // A copy that did not pass must not stay, neither as a key nor as a name.
  const bool came_in = !left_behind.empty();
  DestroyAll(session, left_behind);
  Error error = std::move(copy).error();
  if (!left_behind.empty()) {
    error.message += "; left behind: " + NamesOf(left_behind);
  } else if (came_in) {
    error.message += "; what came in was destroyed";
  }
  return {std::move(error), std::move(left_behind)};
}

KeyCopying CopyKey(Session& source, const KeyPair& key, Session& target, const CopyWay& way, const KeyPairSpec& spec,
                   const TransportSpec& transport, ByteView proof) {
  // Before any key is made: a copy that cannot stand needs no transport.
  if (Result<void> room = CheckRoom(target, key.public_key, spec); !room.ok()) return {std::move(room).error(), {}};
  Result<TransportKey> made = MakeTransportKey(source, target, way, transport);
  if (!made.ok()) return {std::move(made).error(), {}};
  // Ciphertext, under a key that no host has ever had: it is not wiped, and needs no locked memory.
  const Result<Bytes> wrapped = WrapPrivateKey(source, made->source_key, way.source_wrap, key.private_object);
  KeyCopying copying = wrapped.ok() ? UnwrapPrivateKey(target, made->target_key, way.target_wrap, *wrapped,
                                                       {key.public_key, spec, proof})
                                    : KeyCopying{wrapped.error(), {}};
  const Result<void> destroyed = DestroyTransportKey(source, target, *made);
  if (!destroyed.ok()) {
    // The copy is what it is; the session objects go with their sessions.
    source.token().module().observer().Trouble(destroyed.error());
  }
  return copying;
}

Result<void> ProveSealed(Session& session, const KeyPair& key) {
  const std::string name = fmt::format("{} on {}", key.private_object.Name(), session.token().Name());
  const CK_ATTRIBUTE_TYPE types[] = {CKA_EXTRACTABLE};
  KC_ASSIGN_OR_RETURN(const AttributeSet attributes, session.ReadAttributes(key.private_object.handle(), types));
  if (attributes.Bool(CKA_EXTRACTABLE) != false) {
    return base::MakeError(ErrorCode::kCorrupt, fmt::format("{} is not sealed: CKA_EXTRACTABLE is {}", name,
                                                            attributes.DescribeOne(CKA_EXTRACTABLE)))
        .WithRule("KEY-SEAL-01");
  }
  KC_ASSIGN_OR_RETURN(const CK_MECHANISM_TYPE kwp, KwpMechanism(session.token(), CKF_WRAP));
  if (kwp == 0) {
    return base::MakeError(ErrorCode::kUnsupported, fmt::format("{} cannot be tried: {}", name, WrapsNot(session)))
        .WithRule("KEY-SEAL-02");
  }
  constexpr std::string_view kLabel = "seal trial";
  SecretKeyGeneration aes = GenerateWrapKey(
      session,
      {.label = std::string(kLabel), .id = base::ToBytes(base::AsBytes(kLabel)), .lifetime = Lifetime::kSession});
  if (!aes.key.ok()) {
    DestroyAll(session, aes.left_behind);
    return std::move(aes.key).error();
  }
  const Result<Leaving> leaving = TryToWrap(session, aes.key->object, kwp, key.private_object);
  std::vector<Object> trial_key = {aes.key->object};
  DestroyAll(session, trial_key);
  if (!leaving.ok()) return leaving.error();
  if (*leaving == Leaving::kCameOut) {
    return base::MakeError(ErrorCode::kCorrupt,
                           fmt::format("{} says CKA_EXTRACTABLE false, and was wrapped all the same", name))
        .WithRule("KEY-SEAL-01")
        .WithHint("this module does not keep the seal; only destroying the key keeps it from leaving");
  }
  return {};
}

}  // namespace hsm
