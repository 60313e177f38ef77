#include "hsm/transport_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "hsm/base/encoding.h"
#include "hsm/describe.h"
#include "hsm/keygen_plan.h"

namespace hsm {
namespace {

constexpr TransportRow kTransports[] = {
    {Transport::kOaepSha256, "rsa-oaep-sha256", CKM_SHA256, CKG_MGF1_SHA256},
    {Transport::kOaepSha1, "rsa-oaep-sha1", CKM_SHA_1, CKG_MGF1_SHA1},
    {Transport::kEcdh, "ecdh-p256", 0, 0},
};

constexpr std::string_view kOtherTransportKey = "KEY-TRANSPORT-01";

bool DoesHash(const Quirks& quirks, CK_MECHANISM_TYPE hash) {
  return std::ranges::find(quirks.oaep_hashes, hash) != quirks.oaep_hashes.end();
}

std::string OaepText(const TransportRow& row) {
  return fmt::format("{} ({}, MGF1)", MechanismName(CKM_RSA_PKCS_OAEP), MechanismName(row.hash));
}

}  // namespace

std::span<const TransportRow> TransportRows() { return kTransports; }
const TransportRow& RowOf(Transport transport) {
  return *std::ranges::find(kTransports, transport, &TransportRow::transport);
}

Bytes TransportId(std::string_view label) { return base::ToBytes(base::AsBytes(label)); }

Result<bool> CanSend(Token& source, const TransportRow& row) {
  if (row.hash == 0 || !DoesHash(source.quirks(), row.hash)) return false;
  KC_ASSIGN_OR_RETURN(const bool generates_aes, source.Can(CKM_AES_KEY_GEN, CKF_GENERATE));
  KC_ASSIGN_OR_RETURN(const bool wraps, source.Can(CKM_RSA_PKCS_OAEP, CKF_WRAP));
  return generates_aes && wraps;
}

Result<bool> CanReceive(Token& target, const TransportRow& row) {
  if (row.hash == 0 || !DoesHash(target.quirks(), row.hash)) return false;
  KC_ASSIGN_OR_RETURN(const bool unwraps, target.Can(CKM_RSA_PKCS_OAEP, CKF_UNWRAP));
  KC_ASSIGN_OR_RETURN(const bool generates_rsa, target.Can(CKM_RSA_PKCS_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR));
  return unwraps && generates_rsa;
}

WrapKeySpec TransportKeySpec(std::string_view label, Extractable extractable) {
  return {.label = std::string(label),
          .id = TransportId(label),
          .extractable = extractable,
          .modifiable = Modifiable::kYes,
          .lifetime = Lifetime::kSession};
}

Result<Object> CheckImported(Result<ImportedKey> imported, const Session& session, std::vector<Object>& objects,
                             std::vector<Object>&& left_behind) {
  if (!imported.ok() || !imported->differences.empty()) std::ranges::move(left_behind, std::back_inserter(objects));
  if (!imported.ok()) return std::move(imported).error();
  if (!imported->differences.empty()) {
    return DifferencesError("the transport key on " + session.token().Name(), imported->differences);
  }
  return std::move(imported->object);
}

Result<PublicObject> MakeEnvelopeKey(Session& source, const base::PublicKey& transport_key,
                                     std::vector<Object>& objects) {
  Template envelope;
  envelope.Number(CKA_CLASS, CKO_PUBLIC_KEY)
      .Number(CKA_KEY_TYPE, CKK_RSA)
      .Bool(CKA_TOKEN, false)
      .Bool(CKA_PRIVATE, false)
      .Text(CKA_LABEL, kSourceHelperLabel)
      .Raw(CKA_ID, TransportId(kSourceHelperLabel))
      .Bool(CKA_WRAP, true)
      .Bool(CKA_ENCRYPT, false)
      .Bool(CKA_VERIFY, false);
  Result<PublicObject> made =
      MakePublicObject(source, transport_key, std::move(envelope),
                       "the target's transport key on " + source.token().Name(), kOtherTransportKey, objects);
  if (made.ok() || made.error().rule != kOtherTransportKey) return made;
  return std::move(made).error().WithHint("somebody put another key in its place: stop, and find out who");
}

Result<Bytes> SendAesKey(Session& source, const TransportRow& row, const Object& envelope_key, const Object& aes_key) {
  CK_RSA_PKCS_OAEP_PARAMS parameters{row.hash, row.mask, CKZ_DATA_SPECIFIED, nullptr, 0};
  CK_MECHANISM mechanism{CKM_RSA_PKCS_OAEP, &parameters, sizeof parameters};
  KC_ASSIGN_OR_RETURN(WrapOutcome out, WrapOut(source, mechanism, OaepText(row), envelope_key, aes_key, {}));
  if (out.rv != CKR_OK) {
    return CallError(Function::kWrapKey, out.rv, "wrapping the transport key on " + source.token().Name());
  }
  return std::move(out.wrapped);
}

Result<Object> ReceiveAesKey(Session& target, const TransportRow& row, const Object& private_key, Bytes wrapped,
                             std::vector<Object>& objects) {
  CK_RSA_PKCS_OAEP_PARAMS parameters{row.hash, row.mask, CKZ_DATA_SPECIFIED, nullptr, 0};
  CK_MECHANISM mechanism{CKM_RSA_PKCS_OAEP, &parameters, sizeof parameters};
  Template stated =
      ForModule(FullWrapKeyTemplate(TransportKeySpec(kTargetKeyLabel, Extractable::kNo)), target.quirks());
  stated.Remove(
      CKA_VALUE_LEN);  // Current Mechanisms 2.40, AES secret key objects (2.8.2): the key that comes in says it
  ConsequentialCall call = PlanCall(target, Function::kUnwrapKey);
  call.mechanism = OaepText(row);
  call.object = private_key.Name();
  call.attributes = stated.Describe();
  call.planned_id = base::HexEncode(TransportId(kTargetKeyLabel));
  call.planned_label = std::string(kTargetKeyLabel);
  std::vector<Object> left_behind;
  Result<ImportedKey> imported = ImportKey(
      target, std::move(call), stated, {},
      [&](std::span<CK_ATTRIBUTE> native, CK_OBJECT_HANDLE* handle) {
        return target.api().UnwrapKey(target.handle(), &mechanism, private_key.handle(), wrapped.data(), wrapped.size(),
                                      native.data(), native.size(), handle);
      },
      left_behind);
  return CheckImported(std::move(imported), target, objects, std::move(left_behind));
}

}  // namespace hsm
