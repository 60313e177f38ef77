#include "hsm/recording_cryptoki.h"

#include <fmt/format.h>

#include <cstring>

#include "hsm/describe.h"

namespace hsm {
namespace {

std::string Withheld(CK_ULONG size) { return fmt::format("({} bytes)", size); }

// A null PIN is the PIN pad.
std::string Pin(const CK_UTF8CHAR* pin, CK_ULONG size) { return pin == nullptr ? "(null)" : Withheld(size); }

void AddTemplate(Description& out, const std::string& prefix, const CK_ATTRIBUTE* attributes, CK_ULONG count) {
  if (attributes == nullptr) return;
  for (CK_ULONG i = 0; i < count; ++i) {
    const auto* bytes = static_cast<const std::uint8_t*>(attributes[i].pValue);
    out.push_back({prefix + AttributeName(attributes[i].type),
                   bytes == nullptr ? std::string("(null)")
                                    : DescribeValue(attributes[i].type, {bytes, attributes[i].ulValueLen})});
  }
}

// Sizes that a call may have filled in are read only when it says so.
std::string FilledSize(const CK_BYTE* out, const CK_ULONG* size) {
  return size == nullptr ? std::string("(null)") : fmt::format("{}{} bytes", out == nullptr ? "would be " : "", *size);
}

}  // namespace

std::string DescribeMechanism(const CK_MECHANISM& mechanism) {
  std::string name = MechanismName(mechanism.mechanism);
  const auto has = [&](std::size_t size) {
    return mechanism.pParameter != nullptr && mechanism.ulParameterLen == size;
  };
  const auto hash_of = [](CK_MECHANISM_TYPE hash) { return MechanismName(hash); };
  switch (mechanism.mechanism) {
    case CKM_RSA_PKCS_OAEP: {
      CK_RSA_PKCS_OAEP_PARAMS oaep;
      if (!has(sizeof oaep)) break;
      std::memcpy(&oaep, mechanism.pParameter, sizeof oaep);
      return fmt::format("{} hash={} mgf={}", name, hash_of(oaep.hashAlg), oaep.mgf);
    }
    case CKM_RSA_PKCS_PSS:
    case CKM_SHA256_RSA_PKCS_PSS:
    case CKM_SHA384_RSA_PKCS_PSS:
    case CKM_SHA512_RSA_PKCS_PSS: {
      CK_RSA_PKCS_PSS_PARAMS pss;
      if (!has(sizeof pss)) break;
      std::memcpy(&pss, mechanism.pParameter, sizeof pss);
      return fmt::format("{} hash={} mgf={} salt={}", name, hash_of(pss.hashAlg), pss.mgf, pss.sLen);
    }
    case CKM_ECDH1_DERIVE: {
      CK_ECDH1_DERIVE_PARAMS ecdh;
      if (!has(sizeof ecdh)) break;
      std::memcpy(&ecdh, mechanism.pParameter, sizeof ecdh);
      return fmt::format("{} kdf={} point={}", name, ecdh.kdf, Withheld(ecdh.ulPublicDataLen));
    }
    default:
      break;
  }
  if (mechanism.ulParameterLen != 0) name += fmt::format(" parameter={}", Withheld(mechanism.ulParameterLen));
  return name;
}

std::string RecordedCall::Line() const {
  std::string line(FunctionName(function));
  if (!mechanism.empty()) line += " " + mechanism;
  for (const NamedValue& one : input) line += fmt::format(" {}={}", one.name, one.value);
  return line + " -> " + RvName(rv);
}

std::string RecordingCryptoki::Ordinals::Of(CK_ULONG handle) {
  if (handle == CK_INVALID_HANDLE && kind_ != "slot") return kind_ + " 0";
  const auto [entry, is_new] = numbers_.try_emplace(handle, last_ + 1);
  if (is_new) ++last_;
  return fmt::format("{} {}", kind_, entry->second);
}

std::string RecordingCryptoki::Ordinals::New(CK_ULONG handle) {
  numbers_[handle] = ++last_;
  return fmt::format("{} {}", kind_, last_);
}

RecordedCall RecordingCryptoki::InSession(Function function, CK_SESSION_HANDLE session) {
  RecordedCall recorded;
  recorded.function = function;
  recorded.input.push_back({"session", sessions_.Of(session)});
  return recorded;
}

CK_RV RecordingCryptoki::Run(RecordedCall& recorded, const InnerCall& call) {
  const auto start = std::chrono::steady_clock::now();
  recorded.rv = call();
  recorded.duration = std::chrono::steady_clock::now() - start;
  return recorded.rv;
}

CK_RV RecordingCryptoki::RunAndRecord(RecordedCall recorded, const InnerCall& call) {
  const CK_RV rv = Run(recorded, call);
  sink_.Record(recorded);
  return rv;
}

// Calls without arguments that matter come here.
CK_RV RecordingCryptoki::Around(Function function, const InnerCall& call) {
  RecordedCall recorded;
  recorded.function = function;
  return RunAndRecord(std::move(recorded), call);
}

CK_RV RecordingCryptoki::GetSlotList(CK_BBOOL token_present, CK_SLOT_ID* slots, CK_ULONG* count) {
  RecordedCall recorded;
  recorded.function = Function::kGetSlotList;
  recorded.input.push_back({"token_present", token_present != 0 ? "true" : "false"});
  recorded.input.push_back({"slots", slots == nullptr ? "(null)" : "array"});
  const CK_RV rv = Run(recorded, InnerCall([&] { return inner().GetSlotList(token_present, slots, count); }));
  if (rv == CKR_OK && count != nullptr) recorded.output.push_back({"count", std::to_string(*count)});
  sink_.Record(recorded);
  return rv;
}

CK_RV RecordingCryptoki::GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO* info) {
  RecordedCall recorded;
  recorded.function = Function::kGetSlotInfo;
  recorded.input.push_back({"slot", slots_.Of(slot)});
  return RunAndRecord(std::move(recorded), InnerCall([&] { return inner().GetSlotInfo(slot, info); }));
}

CK_RV RecordingCryptoki::GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  RecordedCall recorded;
  recorded.function = Function::kGetTokenInfo;
  recorded.input.push_back({"slot", slots_.Of(slot)});
  const CK_RV rv = Run(recorded, InnerCall([&] { return inner().GetTokenInfo(slot, info); }));
  if (rv == CKR_OK && info != nullptr) recorded.output.push_back({"flags", HexNumber(info->flags)});
  sink_.Record(recorded);
  return rv;
}

CK_RV RecordingCryptoki::GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE* mechanisms, CK_ULONG* count) {
  RecordedCall recorded;
  recorded.function = Function::kGetMechanismList;
  recorded.input.push_back({"slot", slots_.Of(slot)});
  recorded.input.push_back({"mechanisms", mechanisms == nullptr ? "(null)" : "array"});
  const CK_RV rv = Run(recorded, InnerCall([&] { return inner().GetMechanismList(slot, mechanisms, count); }));
  if (rv == CKR_OK && count != nullptr) recorded.output.push_back({"count", std::to_string(*count)});
  sink_.Record(recorded);
  return rv;
}

CK_RV RecordingCryptoki::GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE mechanism, CK_MECHANISM_INFO* info) {
  RecordedCall recorded;
  recorded.function = Function::kGetMechanismInfo;
  recorded.mechanism = MechanismName(mechanism);
  recorded.input.push_back({"slot", slots_.Of(slot)});
  return RunAndRecord(std::move(recorded), InnerCall([&] { return inner().GetMechanismInfo(slot, mechanism, info); }));
}

CK_RV RecordingCryptoki::InitToken(CK_SLOT_ID slot, CK_UTF8CHAR* pin, CK_ULONG pin_size, CK_UTF8CHAR* label) {
  RecordedCall recorded;
  recorded.function = Function::kInitToken;
  recorded.input.push_back({"slot", slots_.Of(slot)});
  recorded.input.push_back({"pin", Pin(pin, pin_size)});
  // C_InitToken's label is 32 bytes, padded with blanks.
  if (label != nullptr) recorded.input.push_back({"label", DescribeValue(CKA_LABEL, {label, 32})});
  return RunAndRecord(std::move(recorded), InnerCall([&] { return inner().InitToken(slot, pin, pin_size, label); }));
}

CK_RV RecordingCryptoki::InitPin(CK_SESSION_HANDLE session, CK_UTF8CHAR* pin, CK_ULONG pin_size) {
  RecordedCall recorded = InSession(Function::kInitPin, session);
  recorded.input.push_back({"pin", Pin(pin, pin_size)});
  return RunAndRecord(std::move(recorded), InnerCall([&] { return inner().InitPin(session, pin, pin_size); }));
}

CK_RV RecordingCryptoki::SetPin(CK_SESSION_HANDLE session, CK_UTF8CHAR* old_pin, CK_ULONG old_size,
                                CK_UTF8CHAR* new_pin, CK_ULONG new_size) {
  RecordedCall recorded = InSession(Function::kSetPin, session);
  recorded.input.push_back({"old_pin", Pin(old_pin, old_size)});
  recorded.input.push_back({"new_pin", Pin(new_pin, new_size)});
  return RunAndRecord(std::move(recorded),
                      InnerCall([&] { return inner().SetPin(session, old_pin, old_size, new_pin, new_size); }));
}

CK_RV RecordingCryptoki::OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, CK_SESSION_HANDLE* session) {
  RecordedCall recorded;
  recorded.function = Function::kOpenSession;
  recorded.input.push_back({"slot", slots_.Of(slot)});
  recorded.input.push_back({"access", (flags & CKF_RW_SESSION) != 0 ? "read-write" : "read-only"});
  const CK_RV rv = Run(recorded, InnerCall([&] { return inner().OpenSession(slot, flags, session); }));
  if (rv == CKR_OK && session != nullptr) recorded.output.push_back({"session", sessions_.New(*session)});
  sink_.Record(recorded);
  return rv;
}

CK_RV RecordingCryptoki::CloseSession(CK_SESSION_HANDLE session) {
  RecordedCall recorded = InSession(Function::kCloseSession, session);
  const CK_RV rv = Run(recorded, InnerCall([&] { return inner().CloseSession(session); }));
  if (rv == CKR_OK) sessions_.Forget(session);
  sink_.Record(recorded);
  return rv;
}

CK_RV RecordingCryptoki::GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO* info) {
  RecordedCall recorded = InSession(Function::kGetSessionInfo, session);
  const CK_RV rv = Run(recorded, InnerCall([&] { return inner().GetSessionInfo(session, info); }));
  if (rv == CKR_OK && info != nullptr) recorded.output.push_back({"state", std::to_string(info->state)});
  sink_.Record(recorded);
  return rv;
}

CK_RV RecordingCryptoki::Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG pin_size) {
  RecordedCall recorded = InSession(Function::kLogin, session);
  recorded.input.push_back({"user", user == CKU_SO     ? "security officer"
                                    : user == CKU_USER ? "user"
                                                       : std::to_string(user)});
  recorded.input.push_back({"pin", Pin(pin, pin_size)});
  return RunAndRecord(std::move(recorded), InnerCall([&] { return inner().Login(session, user, pin, pin_size); }));
}

CK_RV RecordingCryptoki::Logout(CK_SESSION_HANDLE session) {
  return RunAndRecord(InSession(Function::kLogout, session), InnerCall([&] { return inner().Logout(session); }));
}

CK_RV RecordingCryptoki::CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count,
                                      CK_OBJECT_HANDLE* object) {
  RecordedCall recorded = InSession(Function::kCreateObject, session);
  AddTemplate(recorded.input, "", attributes, count);
  const CK_RV rv = Run(recorded, InnerCall([&] { return inner().CreateObject(session, attributes, count, object); }));
  if (rv == CKR_OK && object != nullptr) recorded.output.push_back({"object", objects_.New(*object)});
  sink_.Record(recorded);
  return rv;
}

CK_RV RecordingCryptoki::DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  RecordedCall recorded = InSession(Function::kDestroyObject, session);
  recorded.input.push_back({"object", objects_.Of(object)});
  const CK_RV rv = Run(recorded, InnerCall([&] { return inner().DestroyObject(session, object); }));
  if (rv == CKR_OK) objects_.Forget(object);
  sink_.Record(recorded);
  return rv;
}

CK_RV RecordingCryptoki::GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                                           CK_ULONG count) {
  RecordedCall recorded = InSession(Function::kGetAttributeValue, session);
  recorded.input.push_back({"object", objects_.Of(object)});
  std::vector<CK_ULONG> capacities;
  for (CK_ULONG i = 0; attributes != nullptr && i < count; ++i) {
    recorded.input.push_back(
        {AttributeName(attributes[i].type), attributes[i].pValue == nullptr ? "(size)" : "(value)"});
    capacities.push_back(attributes[i].ulValueLen);
  }
  const CK_RV rv =
      Run(recorded, InnerCall([&] { return inner().GetAttributeValue(session, object, attributes, count); }));
  for (std::size_t i = 0; i < capacities.size(); ++i) {
    const CK_ATTRIBUTE& one = attributes[i];
    std::string value = "(none)";
    if (one.ulValueLen != CK_UNAVAILABLE_INFORMATION && one.pValue == nullptr) value = Withheld(one.ulValueLen);
    // A length above the buffer is the module's nonsense: nothing is there to be read.
    if (one.ulValueLen <= capacities[i] && one.pValue != nullptr) {
      value = DescribeValue(one.type, {static_cast<const std::uint8_t*>(one.pValue), one.ulValueLen});
    }
    recorded.output.push_back({AttributeName(one.type), value});
  }
  sink_.Record(recorded);
  return rv;
}

CK_RV RecordingCryptoki::SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                                           CK_ULONG count) {
  RecordedCall recorded = InSession(Function::kSetAttributeValue, session);
  recorded.input.push_back({"object", objects_.Of(object)});
  AddTemplate(recorded.input, "", attributes, count);
  return RunAndRecord(std::move(recorded),
                      InnerCall([&] { return inner().SetAttributeValue(session, object, attributes, count); }));
}

CK_RV RecordingCryptoki::FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count) {
  RecordedCall recorded = InSession(Function::kFindObjectsInit, session);
  AddTemplate(recorded.input, "", attributes, count);
  return RunAndRecord(std::move(recorded),
                      InnerCall([&] { return inner().FindObjectsInit(session, attributes, count); }));
}

CK_RV RecordingCryptoki::FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG capacity,
                                     CK_ULONG* count) {
  RecordedCall recorded = InSession(Function::kFindObjects, session);
  recorded.input.push_back({"capacity", std::to_string(capacity)});
  const CK_RV rv = Run(recorded, InnerCall([&] { return inner().FindObjects(session, objects, capacity, count); }));
  if (rv == CKR_OK && objects != nullptr && count != nullptr) {
    recorded.output.push_back({"count", std::to_string(*count)});
    for (CK_ULONG i = 0; i < *count && i < capacity; ++i)
      recorded.output.push_back({"object", objects_.Of(objects[i])});
  }
  sink_.Record(recorded);
  return rv;
}

CK_RV RecordingCryptoki::FindObjectsFinal(CK_SESSION_HANDLE session) {
  return RunAndRecord(InSession(Function::kFindObjectsFinal, session),
                      InnerCall([&] { return inner().FindObjectsFinal(session); }));
}

CK_RV RecordingCryptoki::SignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  RecordedCall recorded = InSession(Function::kSignInit, session);
  if (mechanism != nullptr) recorded.mechanism = DescribeMechanism(*mechanism);
  recorded.input.push_back({"key", objects_.Of(key)});
  return RunAndRecord(std::move(recorded), InnerCall([&] { return inner().SignInit(session, mechanism, key); }));
}

CK_RV RecordingCryptoki::Sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG data_size, CK_BYTE* signature,
                              CK_ULONG* signature_size) {
  RecordedCall recorded = InSession(Function::kSign, session);
  recorded.input.push_back({"data", Withheld(data_size)});
  const CK_RV rv =
      Run(recorded, InnerCall([&] { return inner().Sign(session, data, data_size, signature, signature_size); }));
  if (rv == CKR_OK) recorded.output.push_back({"signature", FilledSize(signature, signature_size)});
  sink_.Record(recorded);
  return rv;
}

CK_RV RecordingCryptoki::GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* attributes,
                                     CK_ULONG count, CK_OBJECT_HANDLE* key) {
  RecordedCall recorded = InSession(Function::kGenerateKey, session);
  if (mechanism != nullptr) recorded.mechanism = DescribeMechanism(*mechanism);
  AddTemplate(recorded.input, "", attributes, count);
  const CK_RV rv =
      Run(recorded, InnerCall([&] { return inner().GenerateKey(session, mechanism, attributes, count, key); }));
  if (rv == CKR_OK && key != nullptr) recorded.output.push_back({"key", objects_.New(*key)});
  sink_.Record(recorded);
  return rv;
}

CK_RV RecordingCryptoki::GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                                         CK_ATTRIBUTE* public_attributes, CK_ULONG public_count,
                                         CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                                         CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) {
  RecordedCall recorded = InSession(Function::kGenerateKeyPair, session);
  if (mechanism != nullptr) recorded.mechanism = DescribeMechanism(*mechanism);
  AddTemplate(recorded.input, "public.", public_attributes, public_count);
  AddTemplate(recorded.input, "private.", private_attributes, private_count);
  const CK_RV rv = Run(recorded, InnerCall([&] {
                         return inner().GenerateKeyPair(session, mechanism, public_attributes, public_count,
                                                        private_attributes, private_count, public_key, private_key);
                       }));
  if (rv == CKR_OK && public_key != nullptr) recorded.output.push_back({"public_key", objects_.New(*public_key)});
  if (rv == CKR_OK && private_key != nullptr) recorded.output.push_back({"private_key", objects_.New(*private_key)});
  sink_.Record(recorded);
  return rv;
}

CK_RV RecordingCryptoki::WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE wrapping_key,
                                 CK_OBJECT_HANDLE key, CK_BYTE* wrapped, CK_ULONG* wrapped_size) {
  RecordedCall recorded = InSession(Function::kWrapKey, session);
  if (mechanism != nullptr) recorded.mechanism = DescribeMechanism(*mechanism);
  recorded.input.push_back({"wrapping_key", objects_.Of(wrapping_key)});
  recorded.input.push_back({"key", objects_.Of(key)});
  const CK_RV rv =
      Run(recorded,
          InnerCall([&] { return inner().WrapKey(session, mechanism, wrapping_key, key, wrapped, wrapped_size); }));
  if (rv == CKR_OK) recorded.output.push_back({"wrapped", FilledSize(wrapped, wrapped_size)});
  sink_.Record(recorded);
  return rv;
}

CK_RV RecordingCryptoki::UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE unwrapping_key,
                                   CK_BYTE* wrapped, CK_ULONG wrapped_size, CK_ATTRIBUTE* attributes, CK_ULONG count,
                                   CK_OBJECT_HANDLE* key) {
  RecordedCall recorded = InSession(Function::kUnwrapKey, session);
  if (mechanism != nullptr) recorded.mechanism = DescribeMechanism(*mechanism);
  recorded.input.push_back({"unwrapping_key", objects_.Of(unwrapping_key)});
  recorded.input.push_back({"wrapped", Withheld(wrapped_size)});
  AddTemplate(recorded.input, "", attributes, count);
  const CK_RV rv =
      Run(recorded, InnerCall([&] {
            return inner().UnwrapKey(session, mechanism, unwrapping_key, wrapped, wrapped_size, attributes, count, key);
          }));
  if (rv == CKR_OK && key != nullptr) recorded.output.push_back({"key", objects_.New(*key)});
  sink_.Record(recorded);
  return rv;
}

CK_RV RecordingCryptoki::DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE base_key,
                                   CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) {
  RecordedCall recorded = InSession(Function::kDeriveKey, session);
  if (mechanism != nullptr) recorded.mechanism = DescribeMechanism(*mechanism);
  recorded.input.push_back({"base_key", objects_.Of(base_key)});
  AddTemplate(recorded.input, "", attributes, count);
  const CK_RV rv =
      Run(recorded, InnerCall([&] { return inner().DeriveKey(session, mechanism, base_key, attributes, count, key); }));
  if (rv == CKR_OK && key != nullptr) recorded.output.push_back({"key", objects_.New(*key)});
  sink_.Record(recorded);
  return rv;
}

CK_RV RecordingCryptoki::GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG size) {
  RecordedCall recorded = InSession(Function::kGenerateRandom, session);
  recorded.input.push_back({"size", std::to_string(size)});
  return RunAndRecord(std::move(recorded), InnerCall([&] { return inner().GenerateRandom(session, out, size); }));
}

}  // namespace hsm
