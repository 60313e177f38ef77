#include "hsm/transport.h"

#include <fmt/format.h>

#include <algorithm>

#include "hsm/agree.h"
#include "hsm/base/encoding.h"
#include "hsm/describe.h"
#include "hsm/keygen_plan.h"
#include "hsm/transport_parts.h"

namespace hsm {
namespace {

Result<bool> BothCan(Token& source, Token& target, const TransportRow& row) {
  if (row.hash == 0) {
    for (Token* token : {&source, &target}) {
      KC_ASSIGN_OR_RETURN(const bool derives, token->Can(CKM_ECDH1_DERIVE, CKF_DERIVE));
      KC_ASSIGN_OR_RETURN(const bool generates, token->Can(CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR));
      if (!derives || !generates) return false;
    }
    return true;
  }
  KC_ASSIGN_OR_RETURN(const bool sends, CanSend(source, row));
  KC_ASSIGN_OR_RETURN(const bool receives, CanReceive(target, row));
  return sends && receives;
}

Result<GeneratedKey> MakeHelperPair(Session& session, std::string_view label, base::KeyAlgorithm algorithm,
                                    const KeyUsage& usage, std::vector<Object>& helpers) {
  KeyGeneration made = GenerateKeyPair(session, {.algorithm = algorithm,
                                                 .label = std::string(label),
                                                 .id = TransportId(label),
                                                 .usage = usage,
                                                 .lifetime = Lifetime::kSession});
  if (!made.key.ok()) {
    std::ranges::move(made.left_behind, std::back_inserter(helpers));
    return std::move(made.key).error();
  }
  helpers.push_back(made.key->pair.private_object);
  if (made.key->pair.public_object) helpers.push_back(*made.key->pair.public_object);
  return std::move(made.key);
}

Result<void> SendByOaep(Session& source, Session& target, const TransportSpec& spec, TransportKey& key) {
  const TransportRow& row = RowOf(key.way.transport);
  KC_ASSIGN_OR_RETURN(const GeneratedKey pair,
                      MakeHelperPair(target, kTargetHelperLabel, spec.rsa, kUnwrappingUsage, key.target_helpers));
  KC_ASSIGN_OR_RETURN(const PublicObject envelope, MakeEnvelopeKey(source, pair.pair.public_key, key.source_helpers));
  KC_ASSIGN_OR_RETURN(const base::PublicKey on_source, ReadPublicKey(envelope.attributes));
  if (spec.compare) KC_RETURN_IF_ERROR(spec.compare(pair.pair.public_key, on_source));

  SecretKeyGeneration generated = GenerateWrapKey(source, TransportKeySpec(kSourceKeyLabel, Extractable::kYes));
  if (!generated.key.ok()) {
    std::ranges::move(generated.left_behind, std::back_inserter(key.source_helpers));
    return std::move(generated.key).error();
  }
  key.source_key = generated.key->object;

  KC_ASSIGN_OR_RETURN(Bytes wrapped, SendAesKey(source, row, envelope.object, key.source_key));
  KC_ASSIGN_OR_RETURN(key.target_key,
                      ReceiveAesKey(target, row, pair.pair.private_object, std::move(wrapped), key.target_helpers));
  return {};
}

Result<Object> Derive(Session& session, const Object& private_key, const base::PublicKey& peer, std::string_view label,
                      std::vector<Object>& helpers) {
  Bytes point = peer.EcPoint();
  CK_ECDH1_DERIVE_PARAMS parameters{CKD_NULL, 0, nullptr, point.size(), point.data()};
  CK_MECHANISM mechanism{CKM_ECDH1_DERIVE, &parameters, sizeof parameters};
  const Template stated = ForModule(FullWrapKeyTemplate(TransportKeySpec(label, Extractable::kNo)), session.quirks());
  ConsequentialCall call = PlanCall(session, Function::kDeriveKey);
  call.mechanism = MechanismName(CKM_ECDH1_DERIVE) + " (CKD_NULL)";
  call.object = private_key.Name();
  call.attributes = stated.Describe();
  call.planned_id = base::HexEncode(TransportId(label));
  call.planned_label = std::string(label);
  std::vector<Object> left_behind;
  Result<ImportedKey> imported = ImportKey(
      session, std::move(call), stated, {},
      [&](std::span<CK_ATTRIBUTE> native, CK_OBJECT_HANDLE* handle) {
        return session.api().DeriveKey(session.handle(), &mechanism, private_key.handle(), native.data(), native.size(),
                                       handle);
      },
      left_behind);
  return CheckImported(std::move(imported), session, helpers, std::move(left_behind));
}

Result<void> AgreeByEcdh(Session& source, Session& target, const TransportSpec& spec, TransportKey& key) {
  constexpr base::KeyAlgorithm kCurve = base::KeyAlgorithm::kEcP256;
  KC_ASSIGN_OR_RETURN(const GeneratedKey ours,
                      MakeHelperPair(source, kSourceHelperLabel, kCurve, kDerivingUsage, key.source_helpers));
  KC_ASSIGN_OR_RETURN(const GeneratedKey theirs,
                      MakeHelperPair(target, kTargetHelperLabel, kCurve, kDerivingUsage, key.target_helpers));
  // The source has no object of it: it derives with these very bytes.
  if (spec.compare) KC_RETURN_IF_ERROR(spec.compare(theirs.pair.public_key, theirs.pair.public_key));
  KC_ASSIGN_OR_RETURN(key.source_key, Derive(source, ours.pair.private_object, theirs.pair.public_key, kSourceKeyLabel,
                                             key.source_helpers));
  KC_ASSIGN_OR_RETURN(key.target_key, Derive(target, theirs.pair.private_object, ours.pair.public_key, kTargetKeyLabel,
                                             key.target_helpers));
  return {};
}

std::vector<Object> Joined(const Object& key, const std::vector<Object>& helpers) {
  std::vector<Object> all;
  if (key.handle() != CK_INVALID_HANDLE) all.push_back(key);
  all.insert(all.end(), helpers.begin(), helpers.end());
  return all;
}

}  // namespace

std::string_view TransportName(Transport transport) { return RowOf(transport).name; }

std::string CopyWay::Name() const {
  return fmt::format("{}, {} to {}", TransportName(transport), MechanismName(source_wrap), MechanismName(target_wrap));
}

Result<CK_MECHANISM_TYPE> KwpMechanism(Token& token, CK_FLAGS needed) {
  const CK_MECHANISM_TYPE mechanism = token.quirks().kwp_mechanism;
  KC_ASSIGN_OR_RETURN(const bool can, token.Can(mechanism, needed));
  return can ? mechanism : CK_MECHANISM_TYPE{0};
}

Result<std::vector<CopyWay>> CopyWays(Token& source, Token& target) {
  KC_ASSIGN_OR_RETURN(const CK_MECHANISM_TYPE wraps, KwpMechanism(source, CKF_WRAP));
  KC_ASSIGN_OR_RETURN(const CK_MECHANISM_TYPE unwraps, KwpMechanism(target, CKF_UNWRAP));
  std::vector<CopyWay> ways;
  if (wraps == 0 || unwraps == 0) return ways;
  for (const TransportRow& row : TransportRows()) {
    KC_ASSIGN_OR_RETURN(const bool possible, BothCan(source, target, row));
    if (possible) ways.push_back({row.transport, wraps, unwraps});
  }
  return ways;
}

Result<TransportKey> MakeTransportKey(Session& source, Session& target, const CopyWay& way, const TransportSpec& spec) {
  TransportKey key{.way = way, .source_key = {}, .target_key = {}, .source_helpers = {}, .target_helpers = {}};
  Result<void> made = way.transport == Transport::kEcdh ? AgreeByEcdh(source, target, spec, key)
                                                        : SendByOaep(source, target, spec, key);
  if (made.ok()) return key;
  std::vector<Object> on_source = Joined(key.source_key, key.source_helpers);
  std::vector<Object> on_target = Joined(key.target_key, key.target_helpers);
  DestroyAll(source, on_source);
  DestroyAll(target, on_target);
  return std::move(made).error();
}

Result<void> DestroyTransportKey(Session& source, Session& target, const TransportKey& key) {
  Result<void> first;
  for (const auto& [session, objects] : {std::pair(&source, Joined(key.source_key, key.source_helpers)),
                                         std::pair(&target, Joined(key.target_key, key.target_helpers))}) {
    for (const Object& object : objects) {
      Result<void> destroyed = session->Destroy(object);
      if (!destroyed.ok() && first.ok()) first = std::move(destroyed);
    }
  }
  return first;
}

}  // namespace hsm
