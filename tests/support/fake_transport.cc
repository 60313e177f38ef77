// Encrypting, wrapping, unwrapping, deriving: how keys leave a token and arrive.
#include <algorithm>
#include <cstring>

#include "tests/support/fake_mechanisms.h"

namespace support {
namespace {

crypto::WrapForm FormOf(const FakeSlot& slot, CK_MECHANISM_TYPE mechanism) {
  return mechanism == slot.habits.kwp_mechanism ? crypto::WrapForm::kPadded : crypto::WrapForm::kPlain;
}

// PKCS#7 padding to 8 bytes: what 0x210A means where it is not RFC 5649.
Bytes Pad8(Bytes plain) {
  const std::size_t pad = 8 - plain.size() % 8;
  plain.insert(plain.end(), pad, static_cast<std::uint8_t>(pad));
  return plain;
}

}  // namespace

CK_RV FakeCryptoki::WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE wrapping_key,
                            CK_OBJECT_HANDLE key, CK_BYTE* wrapped, CK_ULONG* wrapped_size) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (wrapped_size == nullptr) return CKR_ARGUMENTS_BAD;
  if (const CK_RV rv = CheckMechanism(*place.slot, mechanism); rv != CKR_OK) return rv;
  const MechanismRow& row = *FindMechanism(mechanism->mechanism);
  if ((FlagsOf(*place.slot, row) & CKF_WRAP) == 0) return CKR_MECHANISM_INVALID;
  FakeObject* with = nullptr;
  if (const CK_RV rv = FindKey(place, wrapping_key, CKA_WRAP, CKR_WRAPPING_KEY_HANDLE_INVALID, &with); rv != CKR_OK) {
    return rv;
  }
  if (NumberOf(with->attributes, CKA_KEY_TYPE) != row.key_type) return CKR_WRAPPING_KEY_TYPE_INCONSISTENT;
  const FakeObject* what = FindObject(place, key);
  if (what == nullptr || !what->attributes.contains(CKA_EXTRACTABLE)) return CKR_KEY_HANDLE_INVALID;
  const FakeHabits& habits = place.slot->habits;
  if (!habits.wraps_sealed_keys && !IsTrue(what->attributes, CKA_EXTRACTABLE)) return CKR_KEY_UNEXTRACTABLE;
  if (!habits.ignores_wrap_with_trusted && IsTrue(what->attributes, CKA_WRAP_WITH_TRUSTED) &&
      !IsTrue(with->attributes, CKA_TRUSTED)) {
    return CKR_KEY_NOT_WRAPPABLE;
  }
  const bool secret = NumberOf(what->attributes, CKA_CLASS) == CKO_SECRET_KEY;
  if (!secret && !what->key) return CKR_KEY_HANDLE_INVALID;
  Bytes plain = secret ? what->attributes.at(CKA_VALUE) : crypto::Pkcs8(what->key);
  std::optional<Bytes> out;
  if (row.scheme == Scheme::kOaep) {
    const auto digest = OaepDigest(mechanism->pParameter, mechanism->ulParameterLen);
    if (!digest) return CKR_MECHANISM_PARAM_INVALID;
    if (!secret) return CKR_KEY_NOT_WRAPPABLE;
    out = crypto::OaepEncrypt(with->key, *digest, plain);
  } else {
    if (mechanism->ulParameterLen != 0) return CKR_MECHANISM_PARAM_INVALID;
    const crypto::WrapForm form = FormOf(*place.slot, row.type);
    if (form == crypto::WrapForm::kPlain && row.type == CKM_AES_KEY_WRAP_PAD) plain = Pad8(std::move(plain));
    out = crypto::AesWrap(form, with->attributes.at(CKA_VALUE), plain);
  }
  if (!out) return CKR_KEY_SIZE_RANGE;
  return HandOut(*out, wrapped, wrapped_size) == Handed::kTooSmall ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

CK_RV FakeCryptoki::UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE unwrapping_key,
                              CK_BYTE* wrapped, CK_ULONG wrapped_size, CK_ATTRIBUTE* attributes, CK_ULONG count,
                              CK_OBJECT_HANDLE* key) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (key == nullptr || wrapped == nullptr || (attributes == nullptr && count != 0)) return CKR_ARGUMENTS_BAD;
  if (const CK_RV rv = CheckMechanism(*place.slot, mechanism); rv != CKR_OK) return rv;
  const MechanismRow& row = *FindMechanism(mechanism->mechanism);
  if ((FlagsOf(*place.slot, row) & CKF_UNWRAP) == 0) return CKR_MECHANISM_INVALID;
  FakeObject* with = nullptr;
  if (const CK_RV rv = FindKey(place, unwrapping_key, CKA_UNWRAP, CKR_UNWRAPPING_KEY_HANDLE_INVALID, &with);
      rv != CKR_OK) {
    return rv;
  }
  if (NumberOf(with->attributes, CKA_KEY_TYPE) != row.key_type) return CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT;

  CK_OBJECT_CLASS object_class = CK_UNAVAILABLE_INFORMATION;
  for (CK_ULONG i = 0; i < count; ++i) {
    if (attributes[i].type == CKA_CLASS && attributes[i].ulValueLen == sizeof object_class) {
      std::memcpy(&object_class, attributes[i].pValue, sizeof object_class);
    }
  }
  if (object_class != CKO_SECRET_KEY && object_class != CKO_PRIVATE_KEY) return CKR_TEMPLATE_INCOMPLETE;
  FakeObject made;
  if (const CK_RV rv = ReadTemplate(place, Origin::kUnwrap, object_class, attributes, count, &made.attributes);
      rv != CKR_OK) {
    return rv;
  }
  if (!made.attributes.contains(CKA_KEY_TYPE)) return CKR_TEMPLATE_INCOMPLETE;

  std::optional<Bytes> plain;
  const ByteView in(wrapped, wrapped_size);
  if (row.scheme == Scheme::kOaep) {
    const auto digest = OaepDigest(mechanism->pParameter, mechanism->ulParameterLen);
    if (!digest) return CKR_MECHANISM_PARAM_INVALID;
    if (wrapped_size != crypto::SizeOf(with->key)) return CKR_WRAPPED_KEY_LEN_RANGE;
    plain = crypto::OaepDecrypt(with->key, *digest, in);
  } else {
    if (mechanism->ulParameterLen != 0) return CKR_MECHANISM_PARAM_INVALID;
    if (wrapped_size % 8 != 0 || wrapped_size < 16) return CKR_WRAPPED_KEY_LEN_RANGE;
    const crypto::WrapForm form = FormOf(*place.slot, row.type);
    plain = crypto::AesUnwrap(form, with->attributes.at(CKA_VALUE), in);
    if (plain && form == crypto::WrapForm::kPlain && row.type == CKM_AES_KEY_WRAP_PAD) {
      const std::size_t pad = plain->back();
      if (pad == 0 || pad > 8) return CKR_WRAPPED_KEY_INVALID;
      plain->resize(plain->size() - pad);
    }
  }
  if (!plain) return CKR_WRAPPED_KEY_INVALID;

  const CK_KEY_TYPE key_type = NumberOf(made.attributes, CKA_KEY_TYPE);
  if (object_class == CKO_SECRET_KEY) {
    if (key_type != CKK_AES || (plain->size() != 16 && plain->size() != 24 && plain->size() != 32)) {
      return CKR_WRAPPED_KEY_INVALID;
    }
    made.attributes[CKA_VALUE_LEN] = Number(plain->size());
    made.attributes[CKA_VALUE] = *plain;
  } else {
    made.key = crypto::FromPkcs8(*plain);
    if (!made.key) return CKR_WRAPPED_KEY_INVALID;
    const char* group = crypto::GroupOf(made.key);
    const bool edwards = group == nullptr && crypto::SizeOf(made.key) == 32;
    if (key_type != (group != nullptr ? CKK_EC : edwards ? CKK_EC_EDWARDS : CKK_RSA)) return CKR_TEMPLATE_INCONSISTENT;
    const auto point = made.attributes.find(CKA_NSS_DB);
    if (key_type == CKK_EC && place.slot->habits.unwrap_needs_nss_db && point == made.attributes.end()) {
      return CKR_TEMPLATE_INCOMPLETE;
    }
    if (group != nullptr) made.attributes[CKA_EC_PARAMS] = base::ToBytes(base::AsBytes(ParamsOfGroup(group)));
    if (edwards) made.attributes[CKA_EC_PARAMS] = {0x06, 0x03, 0x2b, 0x65, 0x70};
  }
  AddDefaults(object_class, &made.attributes);
  if (made.key) SetPublicValues(made.key, &made.attributes);
  if (place.slot->habits.unwrap_ignores_protection) {
    made.attributes[CKA_SENSITIVE] = {0};
    made.attributes[CKA_EXTRACTABLE] = {1};
  }
  MarkImported(*place.slot, &made.attributes);
  if (const CK_RV rv = CheckMayMake(place, made.attributes); rv != CKR_OK) return rv;
  if (const CK_RV rv = HasRoom(*place.slot, 1); rv != CKR_OK) return rv;
  *key = Add(place, session, std::move(made));
  return CKR_OK;
}

CK_RV FakeCryptoki::DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE base_key,
                              CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (key == nullptr || (attributes == nullptr && count != 0)) return CKR_ARGUMENTS_BAD;
  if (const CK_RV rv = CheckMechanism(*place.slot, mechanism); rv != CKR_OK) return rv;
  const MechanismRow& row = *FindMechanism(mechanism->mechanism);
  if (row.scheme != Scheme::kEcdh) return CKR_MECHANISM_INVALID;
  const auto ecdh = ReadParameters<CK_ECDH1_DERIVE_PARAMS>(mechanism->pParameter, mechanism->ulParameterLen);
  if (!ecdh || ecdh->kdf != CKD_NULL || ecdh->ulSharedDataLen != 0 || ecdh->pPublicData == nullptr) {
    return CKR_MECHANISM_PARAM_INVALID;
  }
  FakeObject* with = nullptr;
  if (const CK_RV rv = FindKey(place, base_key, CKA_DERIVE, CKR_KEY_HANDLE_INVALID, &with); rv != CKR_OK) return rv;
  if (NumberOf(with->attributes, CKA_KEY_TYPE) != CKK_EC || !with->key) return CKR_KEY_TYPE_INCONSISTENT;
  if (IsTrue(with->attributes, CKA_ALWAYS_AUTHENTICATE)) return CKR_USER_NOT_LOGGED_IN;
  FakeObject made;
  if (const CK_RV rv = ReadTemplate(place, Origin::kDerive, CKO_SECRET_KEY, attributes, count, &made.attributes);
      rv != CKR_OK) {
    return rv;
  }
  if (!made.attributes.contains(CKA_KEY_TYPE) || !made.attributes.contains(CKA_VALUE_LEN))
    return CKR_TEMPLATE_INCOMPLETE;
  const CK_KEY_TYPE key_type = NumberOf(made.attributes, CKA_KEY_TYPE);
  if (key_type != CKK_AES && key_type != CKK_GENERIC_SECRET) return CKR_TEMPLATE_INCONSISTENT;
  const std::optional<Bytes> shared = crypto::Ecdh(with->key, {ecdh->pPublicData, ecdh->ulPublicDataLen});
  if (!shared) return CKR_MECHANISM_PARAM_INVALID;
  const CK_ULONG size = NumberOf(made.attributes, CKA_VALUE_LEN);
  if (key_type == CKK_AES && size != 16 && size != 24 && size != 32) return CKR_ATTRIBUTE_VALUE_INVALID;
  if (size == 0 || size > shared->size()) return CKR_ATTRIBUTE_VALUE_INVALID;
  // Current Mechanisms 2.40, section 2.3.9: bytes are taken off the leading end.
  made.attributes[CKA_VALUE] = Bytes(shared->end() - static_cast<std::ptrdiff_t>(size), shared->end());
  AddDefaults(CKO_SECRET_KEY, &made.attributes);
  MarkImported(*place.slot, &made.attributes);
  // The same section: as the base key, as far as the template leaves it so.
  const auto both = [&](CK_ATTRIBUTE_TYPE type, bool now) {
    return Bytes{static_cast<std::uint8_t>(IsTrue(with->attributes, type) && now)};
  };
  made.attributes[CKA_ALWAYS_SENSITIVE] = both(CKA_ALWAYS_SENSITIVE, IsTrue(made.attributes, CKA_SENSITIVE));
  made.attributes[CKA_NEVER_EXTRACTABLE] = both(CKA_NEVER_EXTRACTABLE, !IsTrue(made.attributes, CKA_EXTRACTABLE));
  if (const CK_RV rv = CheckMayMake(place, made.attributes); rv != CKR_OK) return rv;
  if (const CK_RV rv = HasRoom(*place.slot, 1); rv != CKR_OK) return rv;
  *key = Add(place, session, std::move(made));
  return CKR_OK;
}

}  // namespace support
