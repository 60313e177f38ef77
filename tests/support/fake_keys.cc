// Keys: making them and signing with them.
#include <algorithm>
#include <array>
#include <cstring>

#include "hsm/base/ecdsa_signature.h"
#include "tests/support/fake_mechanisms.h"

namespace support {
namespace {

using base::DigestAlgorithm;
using std::string_view_literals::operator""sv;

constexpr std::string_view kEdwardsOid = "\x06\x03\x2b\x65\x70"sv;
constexpr std::string_view kEdwardsName =
    "\x13\x0c"
    "edwards25519"sv;

Bytes DigestInfo(DigestAlgorithm digest, ByteView data) {
  // RFC 8017 section 9.2, notes: the DER before the hash.
  std::string_view prefix = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"sv;
  if (digest == DigestAlgorithm::kSha384) {
    prefix = "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"sv;
  } else if (digest == DigestAlgorithm::kSha512) {
    prefix = "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"sv;
  }
  Bytes out = base::ToBytes(base::AsBytes(prefix));
  const Bytes hash = base::DigestOf(digest, data);
  out.insert(out.end(), hash.begin(), hash.end());
  return out;
}

}  // namespace

CK_RV FakeCryptoki::GetMechanismList(CK_SLOT_ID id, CK_MECHANISM_TYPE* mechanisms, CK_ULONG* count) {
  FakeSlot* slot = nullptr;
  if (const CK_RV rv = FindSlot(id, &slot, true); rv != CKR_OK) return rv;
  if (count == nullptr) return CKR_ARGUMENTS_BAD;
  const CK_ULONG capacity = *count;
  *count = slot->mechanisms.size();
  if (mechanisms == nullptr) return CKR_OK;
  if (capacity < slot->mechanisms.size()) return CKR_BUFFER_TOO_SMALL;
  std::ranges::copy(slot->mechanisms, mechanisms);
  return CKR_OK;
}

CK_RV FakeCryptoki::GetMechanismInfo(CK_SLOT_ID id, CK_MECHANISM_TYPE mechanism, CK_MECHANISM_INFO* info) {
  FakeSlot* slot = nullptr;
  if (const CK_RV rv = FindSlot(id, &slot, true); rv != CKR_OK) return rv;
  if (info == nullptr) return CKR_ARGUMENTS_BAD;
  const MechanismRow* row = FindMechanism(mechanism);
  if (row == nullptr || std::ranges::find(slot->mechanisms, mechanism) == slot->mechanisms.end()) {
    return CKR_MECHANISM_INVALID;
  }
  *info = {row->min, row->max, FlagsOf(*slot, *row)};
  return CKR_OK;
}

CK_RV FakeCryptoki::CheckMechanism(const FakeSlot& slot, const CK_MECHANISM* mechanism) const {
  if (mechanism == nullptr) return CKR_ARGUMENTS_BAD;
  if (FindMechanism(mechanism->mechanism) == nullptr ||
      std::ranges::find(slot.mechanisms, mechanism->mechanism) == slot.mechanisms.end()) {
    return CKR_MECHANISM_INVALID;
  }
  return CKR_OK;
}

CK_RV FakeCryptoki::FindKey(const Place& place, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE permission, CK_RV not_found,
                            FakeObject** key) {
  FakeObject* object = FindObject(place, handle);
  if (object == nullptr || !object->attributes.contains(CKA_KEY_TYPE)) return not_found;
  if (!IsTrue(object->attributes, permission)) return CKR_KEY_FUNCTION_NOT_PERMITTED;
  *key = object;
  return CKR_OK;
}

CK_RV FakeCryptoki::GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* attributes,
                                CK_ULONG count, CK_OBJECT_HANDLE* key) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (key == nullptr) return CKR_ARGUMENTS_BAD;
  if (const CK_RV rv = CheckMechanism(*place.slot, mechanism); rv != CKR_OK) return rv;
  if (mechanism->mechanism != CKM_AES_KEY_GEN) return CKR_MECHANISM_INVALID;
  if (mechanism->ulParameterLen != 0) return CKR_MECHANISM_PARAM_INVALID;
  FakeObject made;
  if (const CK_RV rv = ReadTemplate(place, Origin::kGenerate, CKO_SECRET_KEY, attributes, count, &made.attributes);
      rv != CKR_OK) {
    return rv;
  }
  if (!made.attributes.contains(CKA_VALUE_LEN)) return CKR_TEMPLATE_INCOMPLETE;
  if (made.attributes.contains(CKA_KEY_TYPE) && NumberOf(made.attributes, CKA_KEY_TYPE) != CKK_AES) {
    return CKR_TEMPLATE_INCONSISTENT;
  }
  const CK_ULONG size = NumberOf(made.attributes, CKA_VALUE_LEN);
  if (size != 16 && size != 24 && size != 32) return CKR_ATTRIBUTE_VALUE_INVALID;
  AddDefaults(CKO_SECRET_KEY, &made.attributes);
  made.attributes[CKA_KEY_TYPE] = Number(CKK_AES);
  MarkGenerated(*place.slot, mechanism->mechanism, &made.attributes);
  if (const CK_RV rv = CheckMayMake(place, made.attributes); rv != CKR_OK) return rv;
  if (const CK_RV rv = HasRoom(*place.slot, 1); rv != CKR_OK) return rv;
  Bytes value(size);
  if (const CK_RV rv = GenerateRandom(session, value.data(), size); rv != CKR_OK) return rv;
  made.attributes[CKA_VALUE] = std::move(value);
  *key = Add(place, session, std::move(made));
  return CKR_OK;
}

CK_RV FakeCryptoki::GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* public_attributes,
                                    CK_ULONG public_count, CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                                    CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (public_key == nullptr || private_key == nullptr) return CKR_ARGUMENTS_BAD;
  if (const CK_RV rv = CheckMechanism(*place.slot, mechanism); rv != CKR_OK) return rv;
  const MechanismRow& row = *FindMechanism(mechanism->mechanism);
  if ((row.flags & CKF_GENERATE_KEY_PAIR) == 0) return CKR_MECHANISM_INVALID;
  if (mechanism->ulParameterLen != 0) return CKR_MECHANISM_PARAM_INVALID;
  FakeObject public_object, private_object;
  Attributes& in_public = public_object.attributes;
  Attributes& in_private = private_object.attributes;
  if (const CK_RV rv =
          ReadTemplate(place, Origin::kGenerate, CKO_PUBLIC_KEY, public_attributes, public_count, &in_public);
      rv != CKR_OK) {
    return rv;
  }
  if (const CK_RV rv =
          ReadTemplate(place, Origin::kGenerate, CKO_PRIVATE_KEY, private_attributes, private_count, &in_private);
      rv != CKR_OK) {
    return rv;
  }
  if (in_private.contains(CKA_EC_PARAMS)) return CKR_TEMPLATE_INCONSISTENT;
  for (Attributes* attributes : {&in_public, &in_private}) {
    if (attributes->contains(CKA_KEY_TYPE) && NumberOf(*attributes, CKA_KEY_TYPE) != row.key_type) {
      return CKR_TEMPLATE_INCONSISTENT;
    }
    (*attributes)[CKA_KEY_TYPE] = Number(row.key_type);
  }

  std::function<crypto::Key()> generate;
  if (row.key_type == CKK_RSA) {
    if (!in_public.contains(CKA_MODULUS_BITS)) return CKR_TEMPLATE_INCOMPLETE;
    const CK_ULONG bits = NumberOf(in_public, CKA_MODULUS_BITS);
    if (bits < row.min || bits > row.max || bits % 1024 != 0) return CKR_KEY_SIZE_RANGE;
    const Bytes exponent = in_public.contains(CKA_PUBLIC_EXPONENT) ? in_public.at(CKA_PUBLIC_EXPONENT) : Bytes{1, 0, 1};
    generate = [bits, exponent] { return crypto::GenerateRsa(static_cast<unsigned>(bits), exponent); };
  } else {
    if (!in_public.contains(CKA_EC_PARAMS)) return CKR_TEMPLATE_INCOMPLETE;
    const std::string_view params = base::AsText(in_public.at(CKA_EC_PARAMS));
    if (row.key_type == CKK_EC_EDWARDS) {
      const auto form = place.slot->habits.edwards_params;
      const bool ok = (params == kEdwardsOid && form != FakeHabits::EdwardsParams::kName) ||
                      (params == kEdwardsName && form != FakeHabits::EdwardsParams::kOid);
      if (!ok) return CKR_ATTRIBUTE_VALUE_INVALID;
      generate = crypto::GenerateEd25519;
    } else {
      const char* group = GroupOfParams(params);
      if (group == nullptr) return CKR_CURVE_NOT_SUPPORTED;
      generate = [group] { return crypto::GenerateEc(group); };
    }
    in_private[CKA_EC_PARAMS] = in_public.at(CKA_EC_PARAMS);
  }
  AddDefaults(CKO_PUBLIC_KEY, &in_public);
  AddDefaults(CKO_PRIVATE_KEY, &in_private);
  for (const Attributes* attributes : {&in_public, &in_private}) {
    if (const CK_RV rv = CheckMayMake(place, *attributes); rv != CKR_OK) return rv;
  }
  if (const CK_RV rv = HasRoom(*place.slot, 2); rv != CKR_OK) return rv;

  crypto::Key key = generate();
  if (!key) return CKR_ATTRIBUTE_VALUE_INVALID;
  // The class says with which numbers SetPublicValues is to go.
  const Bytes kind = row.key_type == CKK_RSA ? in_public.at(CKA_MODULUS_BITS) : in_public.at(CKA_EC_PARAMS);
  const auto first = place.slot->first_keys.emplace(std::string(base::AsText(kind)), key).first;
  if (place.slot->habits.repeats_key) key = first->second;
  private_object.key = key;
  public_object.key = place.slot->habits.mismatches_public_key ? generate() : key;
  SetPublicValues(public_object.key, &in_public);
  SetPublicValues(key, &in_private);
  MarkGenerated(*place.slot, mechanism->mechanism, &in_public);
  MarkGenerated(*place.slot, mechanism->mechanism, &in_private);
  if (place.slot->habits.torn != FakeHabits::Torn::kNo) {
    return TearKeyPair(place, std::move(public_object), std::move(private_object));
  }
  *public_key = Add(place, session, std::move(public_object));
  *private_key = Add(place, session, std::move(private_object));
  return CKR_OK;
}

CK_RV FakeCryptoki::TearKeyPair(const Place& place, FakeObject public_object, FakeObject private_object) {
  using Torn = FakeHabits::Torn;
  const Torn torn = place.slot->habits.torn;
  place.slot->habits.torn = Torn::kNo;
  if (torn == Torn::kWithoutId || torn == Torn::kWithoutClass) {
    private_object.attributes.erase(CKA_ID);
    private_object.attributes.erase(CKA_LABEL);
  }
  if (torn == Torn::kWithoutClass) {
    private_object.attributes.erase(CKA_CLASS);
    private_object.attributes.erase(CKA_KEY_TYPE);
    private_object.key.reset();
  }
  if (torn != Torn::kNothing && torn != Torn::kPrivateAlone) Add(place, 0, std::move(public_object));
  if (torn != Torn::kNothing && torn != Torn::kPublicAlone) Add(place, 0, std::move(private_object));
  if (device_->power_cut) device_->power_cut();
  return CKR_DEVICE_ERROR;
}

CK_RV FakeCryptoki::SignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (place.session->sign) return CKR_OPERATION_ACTIVE;
  if (const CK_RV rv = CheckMechanism(*place.slot, mechanism); rv != CKR_OK) return rv;
  const MechanismRow& row = *FindMechanism(mechanism->mechanism);
  if ((FlagsOf(*place.slot, row) & CKF_SIGN) == 0) return CKR_MECHANISM_INVALID;
  FakeObject* object = nullptr;
  if (const CK_RV rv = FindKey(place, key, CKA_SIGN, CKR_KEY_HANDLE_INVALID, &object); rv != CKR_OK) return rv;
  if (NumberOf(object->attributes, CKA_KEY_TYPE) != row.key_type) return CKR_KEY_TYPE_INCONSISTENT;
  const auto* bytes = static_cast<const std::uint8_t*>(mechanism->pParameter);
  if (row.scheme == Scheme::kPss) {
    const auto pss = ReadParameters<CK_RSA_PKCS_PSS_PARAMS>(bytes, mechanism->ulParameterLen);
    const auto digest = pss ? DigestOfMechanism(pss->hashAlg) : std::nullopt;
    if (!digest || !MgfMatches(pss->mgf, *digest) || (row.digest && row.digest != digest)) {
      return CKR_MECHANISM_PARAM_INVALID;
    }
  } else if (mechanism->ulParameterLen != 0) {
    return CKR_MECHANISM_PARAM_INVALID;
  }
  place.session->authenticated = false;
  place.session->sign =
      Operation{row.type, bytes == nullptr ? Bytes{} : Bytes(bytes, bytes + mechanism->ulParameterLen), key};
  return CKR_OK;
}

CK_RV FakeCryptoki::MakeSignature(FakeSlot& slot, const Operation& operation, const crypto::Key& key, ByteView data,
                                  Bytes* out) {
  const MechanismRow& row = *FindMechanism(operation.mechanism);
  const Bytes hash = row.digest ? base::DigestOf(*row.digest, data) : base::ToBytes(data);
  switch (row.scheme) {
    case Scheme::kEcdsa:
      if (hash.empty() || hash.size() > 64) return CKR_DATA_LEN_RANGE;
      *out = crypto::SignEcdsa(key, hash);
      SpoilSignature(slot, key, out);
      return CKR_OK;
    case Scheme::kEdwards:
      *out = crypto::SignEd25519(key, data);
      break;
    case Scheme::kPkcs1: {
      auto signature = crypto::SignPkcs1(key, row.digest ? DigestInfo(*row.digest, data) : base::ToBytes(data));
      if (!signature) return CKR_DATA_LEN_RANGE;
      *out = *std::move(signature);
      break;
    }
    default: {
      CK_RSA_PKCS_PSS_PARAMS pss;
      std::memcpy(&pss, operation.parameters.data(), sizeof pss);
      const DigestAlgorithm digest = *DigestOfMechanism(pss.hashAlg);
      if (hash.size() != base::DigestOf(digest, {}).size()) return CKR_DATA_LEN_RANGE;
      auto signature = crypto::SignPss(key, digest, pss.sLen, hash);
      if (!signature) return CKR_MECHANISM_PARAM_INVALID;
      *out = *std::move(signature);
    }
  }
  SpoilSignature(slot, nullptr, out);
  return CKR_OK;
}

// An ECDSA key is given where the form of r||s matters.
void FakeCryptoki::SpoilSignature(FakeSlot& slot, const crypto::Key& key, Bytes* signature) const {
  using Signatures = FakeHabits::Signatures;
  if (slot.first_signature.empty()) slot.first_signature = *signature;
  switch (slot.habits.signatures) {
    case Signatures::kGood:
      return;
    case Signatures::kWrong:
      signature->back() ^= 1;
      return;
    case Signatures::kTruncated:
      signature->pop_back();
      return;
    case Signatures::kConstant:
      *signature = slot.first_signature;
      return;
    case Signatures::kEmpty:
      signature->clear();
      return;
    case Signatures::kHighS:
      if (key) *signature = crypto::HighS(key, *signature);
      return;
    case Signatures::kStripped: {
      if (!key) return;
      // Both halves lose the leading zeros that both have, as some modules do.
      const std::size_t width = signature->size() / 2;
      std::size_t zeros = 0;
      while ((*signature)[zeros] == 0 && (*signature)[width + zeros] == 0) ++zeros;
      const auto second = signature->begin() + static_cast<std::ptrdiff_t>(width);
      signature->erase(second, second + static_cast<std::ptrdiff_t>(zeros));
      signature->erase(signature->begin(), signature->begin() + static_cast<std::ptrdiff_t>(zeros));
      return;
    }
    case Signatures::kDer: {
      if (!key) return;
      const std::array<base::Curve, 3> curves = {base::Curve::kP256, base::Curve::kP384, base::Curve::kP521};
      const std::size_t width = signature->size() / 2;
      const auto der = base::RawToLowSDer(curves[width == 32 ? 0 : width == 48 ? 1 : 2], *signature);
      if (der.ok()) *signature = *der;
    }
  }
}

CK_RV FakeCryptoki::Sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG data_size, CK_BYTE* signature,
                         CK_ULONG* signature_size) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (!place.session->sign) return CKR_OPERATION_NOT_INITIALIZED;
  if (signature_size == nullptr || (data == nullptr && data_size != 0)) return CKR_ARGUMENTS_BAD;
  const Operation operation = *place.session->sign;
  const FakeObject* object = FindObject(place, operation.key);
  if (object == nullptr || !object->key) {
    place.session->sign.reset();
    return CKR_KEY_HANDLE_INVALID;
  }
  if (IsTrue(object->attributes, CKA_ALWAYS_AUTHENTICATE) && !place.session->authenticated) {
    place.session->sign.reset();
    return CKR_USER_NOT_LOGGED_IN;
  }
  const std::size_t width = crypto::SizeOf(object->key);
  const std::size_t most = FindMechanism(operation.mechanism)->key_type == CKK_RSA ? width : 2 * width;
  if (place.slot->habits.absurd_signature_length) {
    *signature_size = CK_ULONG{1} << 40;
    if (signature != nullptr) place.session->sign.reset();
    return CKR_OK;
  }
  if (signature == nullptr || *signature_size < most) {
    *signature_size = most;
    return signature == nullptr ? CKR_OK : CKR_BUFFER_TOO_SMALL;
  }
  place.session->sign.reset();
  Bytes made;
  if (const CK_RV rv = MakeSignature(*place.slot, operation, object->key, {data, data_size}, &made); rv != CKR_OK) {
    return rv;
  }
  return HandOut(made, signature, signature_size) == Handed::kCopied ? CKR_OK : CKR_BUFFER_TOO_SMALL;
}

}  // namespace support
