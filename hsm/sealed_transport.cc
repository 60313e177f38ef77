#include "hsm/sealed_transport.h"

#include <fmt/format.h>

#include "hsm/keygen_plan.h"
#include "hsm/transport_parts.h"

namespace hsm {
namespace {

using Capability = Result<bool> (*)(Token&, const TransportRow&);

Result<std::vector<Transport>> WaysOf(Token& token, CK_FLAGS key_wrap, Capability capability) {
  std::vector<Transport> ways;
  KC_ASSIGN_OR_RETURN(const CK_MECHANISM_TYPE wraps, KwpMechanism(token, key_wrap));
  if (wraps == 0) return ways;
  for (const TransportRow& row : TransportRows()) {
    KC_ASSIGN_OR_RETURN(const bool can, capability(token, row));
    if (can) ways.push_back(row.transport);
  }
  return ways;
}

Result<CK_MECHANISM_TYPE> KeyWrap(Session& session, CK_FLAGS flags) {
  KC_ASSIGN_OR_RETURN(const CK_MECHANISM_TYPE mechanism, KwpMechanism(session.token(), flags));
  if (mechanism != 0) return mechanism;
  return base::MakeError(ErrorCode::kUnsupported,
                         fmt::format("{} does not do AES key wrap with padding (RFC 5649)", session.token().Name()));
}

Result<SealedKey> Seal(Session& source, const Object& private_key, const base::PublicKey& transport_key,
                       const TransportRow& row, std::vector<Object>& objects) {
  KC_ASSIGN_OR_RETURN(const CK_MECHANISM_TYPE wrap, KeyWrap(source, CKF_WRAP));
  KC_ASSIGN_OR_RETURN(const PublicObject envelope, MakeEnvelopeKey(source, transport_key, objects));
  SecretKeyGeneration generated = GenerateWrapKey(source, TransportKeySpec(kSourceKeyLabel, Extractable::kYes));
  if (!generated.key.ok()) {
    objects.insert(objects.end(), generated.left_behind.begin(), generated.left_behind.end());
    return std::move(generated.key).error();
  }
  objects.push_back(generated.key->object);
  SealedKey sealed;
  KC_ASSIGN_OR_RETURN(sealed.aes_key, SendAesKey(source, row, envelope.object, generated.key->object));
  KC_ASSIGN_OR_RETURN(sealed.private_key, WrapPrivateKey(source, generated.key->object, wrap, private_key));
  return sealed;
}

}  // namespace

Result<std::vector<Transport>> SendingWays(Token& source) { return WaysOf(source, CKF_WRAP, CanSend); }
Result<std::vector<Transport>> ReceivingWays(Token& target) { return WaysOf(target, CKF_UNWRAP, CanReceive); }

Result<SealedKey> SealKey(Session& source, const Object& private_key, const base::PublicKey& transport_key,
                          Transport transport) {
  std::vector<Object> objects;
  Result<SealedKey> sealed = Seal(source, private_key, transport_key, RowOf(transport), objects);
  DestroyAll(source, objects);
  if (!objects.empty()) {
    return base::MakeError(ErrorCode::kCorrupt, fmt::format("{} keeps what the key was wrapped with: {}",
                                                            source.token().Name(), NamesOf(objects)))
        .WithRule("KEY-TRANSPORT-03")
        .WithHint("whoever has that key can open the file: destroy it, and make another transport key");
  }
  return sealed;
}

KeyCopying OpenSealedKey(Session& target, const Object& transport_key, Transport transport, const SealedKey& sealed,
                         const WantedCopy& wanted) {
  std::vector<Object> objects;
  const Result<CK_MECHANISM_TYPE> unwrap = KeyWrap(target, CKF_UNWRAP);
  if (!unwrap.ok()) return {unwrap.error(), {}};
  Result<Object> aes_key = ReceiveAesKey(target, RowOf(transport), transport_key, sealed.aes_key, objects);
  if (aes_key.ok()) objects.push_back(*aes_key);
  KeyCopying copying = aes_key.ok() ? UnwrapPrivateKey(target, *aes_key, *unwrap, sealed.private_key, wanted)
                                    : KeyCopying{aes_key.error(), {}};
  // What stays is a session object and goes with its session; the observer was told.
  DestroyAll(target, objects);
  return copying;
}

}  // namespace hsm
