#include "hsm/agree.h"

#include <fmt/format.h>

#include "hsm/consequential.h"
#include "hsm/keygen_plan.h"

namespace hsm {
namespace {

constexpr CK_ULONG kCoordinate = 32;

// Only what a secret key that is read at once must say: small cards refuse the
// rest. Some modules will have CKA_PRIVATE, because the base key is private.
Template ReadableSecret() {
  Template secret;
  secret.Number(CKA_CLASS, CKO_SECRET_KEY)
      .Number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
      .Number(CKA_VALUE_LEN, kCoordinate)
      .Bool(CKA_TOKEN, false)
      .Bool(CKA_PRIVATE, true)
      .Bool(CKA_SENSITIVE, false)
      .Bool(CKA_EXTRACTABLE, true);
  return secret;
}

Result<Object> Derive(Session& session, const Object& private_key, const base::PublicKey& peer) {
  Bytes point = peer.EcPoint();
  CK_ECDH1_DERIVE_PARAMS parameters{CKD_NULL, 0, nullptr, point.size(), point.data()};
  CK_MECHANISM mechanism{CKM_ECDH1_DERIVE, &parameters, sizeof parameters};
  const Template stated = ForModule(ReadableSecret(), session.quirks());
  ConsequentialCall call = PlanCall(session, Function::kDeriveKey);
  call.mechanism = "CKM_ECDH1_DERIVE (CKD_NULL)";
  call.object = private_key.Name();
  call.attributes = stated.Describe();
  return Perform<Object>(session.token().module().observer(), call, [&](CallOutcome& outcome) -> Result<Object> {
    CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
    const std::span<CK_ATTRIBUTE> native = stated.Native();
    TimedCall(outcome, [&] {
      return session.api().DeriveKey(session.handle(), &mechanism, private_key.handle(), native.data(), native.size(),
                                     &handle);
    });
    if (outcome.rv == CKR_USER_NOT_LOGGED_IN) {
      // A PIV card's signing key wants its PIN before each use, and one call has no moment for it.
      return CallError(Function::kDeriveKey, outcome.rv,
                       fmt::format("agreeing with {} of {}", private_key.Name(), session.token().Name()))
          .WithRule("AGREE-03")
          .WithHint("a key that asks for its PIN before each use cannot open shares: keep that key elsewhere");
    }
    if (outcome.rv != CKR_OK) {
      return CallError(Function::kDeriveKey, outcome.rv,
                       fmt::format("agreeing with {} of {}", private_key.Name(), session.token().Name()));
    }
    return Object(handle, AttributeSet());
  });
}

}  // namespace

Result<base::SecretBytes> AgreeRaw(Session& session, const Object& private_key, const base::PublicKey& peer) {
  if (peer.algorithm() != base::KeyAlgorithm::kEcP256) {
    return base::MakeError(
        ErrorCode::kInvalidInput,
        fmt::format("the other key of an agreement is {}, expected EC P-256", base::FactsOf(peer.algorithm()).title));
  }
  KC_ASSIGN_OR_RETURN(const Object derived, Derive(session, private_key, peer));
  Result<base::SecretBytes> value = session.ReadSecret(derived.handle(), CKA_VALUE);
  const Result<void> destroyed = session.Destroy(derived);
  if (!value.ok()) {
    if (value.error().rv != CKR_ATTRIBUTE_SENSITIVE && value.error().rv != CKR_ATTRIBUTE_TYPE_INVALID) return value;
    return base::MakeError(
               ErrorCode::kUnsupported,
               fmt::format("{} agrees with another key, but keeps what comes of it", session.token().Name()))
        .WithRule("AGREE-01")
        .WithHint("keep the key that opens shares on another card, or in an encrypted file");
  }
  KC_RETURN_IF_ERROR(destroyed);
  if (value->size() != kCoordinate) {
    return base::MakeError(ErrorCode::kCorrupt, fmt::format("{} agreed on {} bytes, expected {}",
                                                            session.token().Name(), value->size(), kCoordinate))
        .WithRule("AGREE-02");
  }
  return value;
}

}  // namespace hsm
