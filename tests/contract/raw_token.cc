#include "tests/contract/raw_token.h"

#include <doctest/doctest.h>

#include "hsm/object.h"

namespace contract {

RawToken::RawToken(support::TokenWorld& world, LogIn log_in)
    : world_(world), api_(world.LoadApi()), arguments_(world.options()) {
  REQUIRE(api_->Initialize(arguments_.get()) == CKR_OK);
  slot_ = world_.FindTokenSlot(*api_);
  session_ = Open(CKF_SERIAL_SESSION | CKF_RW_SESSION);
  if (log_in == LogIn::kYes) REQUIRE(Login(session_, CKU_USER, world_.user_pin()) == CKR_OK);
}

RawToken::~RawToken() { static_cast<void>(api_->Finalize()); }

CK_RV RawToken::Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, std::string pin) {
  return api_->Login(session, user, reinterpret_cast<CK_UTF8CHAR*>(pin.data()), pin.size());
}

CK_SESSION_HANDLE RawToken::Open(CK_FLAGS flags) {
  CK_SESSION_HANDLE session = 0;
  REQUIRE(api_->OpenSession(slot_, flags, &session) == CKR_OK);
  return session;
}

CK_FLAGS RawToken::TokenFlags() {
  CK_TOKEN_INFO info;
  REQUIRE(api_->GetTokenInfo(slot_, &info) == CKR_OK);
  return info.flags;
}

CK_STATE RawToken::State(CK_SESSION_HANDLE session) {
  CK_SESSION_INFO info;
  REQUIRE(api_->GetSessionInfo(session, &info) == CKR_OK);
  return info.state;
}

bool RawToken::Has(CK_MECHANISM_TYPE mechanism) {
  CK_MECHANISM_INFO info;
  return api_->GetMechanismInfo(slot_, mechanism, &info) == CKR_OK;
}

RawToken::Pair RawToken::Generate(CK_MECHANISM_TYPE mechanism_type, const Template& public_part,
                                  const Template& private_part) {
  CK_MECHANISM mechanism{mechanism_type, nullptr, 0};
  const auto public_native = public_part.Native();
  const auto private_native = private_part.Native();
  Pair pair;
  pair.rv = api_->GenerateKeyPair(session_, &mechanism, public_native.data(), public_native.size(),
                                  private_native.data(), private_native.size(), &pair.public_key, &pair.private_key);
  return pair;
}

RawToken::Pair RawToken::GenerateP256(bool token, std::uint8_t id) {
  Template public_part = PublicPart(token, id, CKA_VERIFY);
  public_part.Raw(CKA_EC_PARAMS, P256Params());
  const Pair pair = Generate(CKM_EC_KEY_PAIR_GEN, public_part, PrivatePart(token, id, CKA_SIGN, false));
  REQUIRE(pair.rv == CKR_OK);
  return pair;
}

Bytes RawToken::Get(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, CK_RV* rv) {
  CK_ATTRIBUTE attribute{type, nullptr, 0};
  CK_RV result = api_->GetAttributeValue(session_, object, &attribute, 1);
  Bytes value;
  if (result == CKR_OK && attribute.ulValueLen != CK_UNAVAILABLE_INFORMATION) {
    value.resize(attribute.ulValueLen);
    attribute.pValue = value.data();
    result = api_->GetAttributeValue(session_, object, &attribute, 1);
  }
  if (rv != nullptr) *rv = result;
  return value;
}

std::vector<CK_OBJECT_HANDLE> RawToken::Find(CK_SESSION_HANDLE session, const Template& match) {
  const auto native = match.Native();
  REQUIRE(api_->FindObjectsInit(session, native.data(), native.size()) == CKR_OK);
  std::vector<CK_OBJECT_HANDLE> all;
  CK_ULONG count = 1;
  while (count != 0) {
    CK_OBJECT_HANDLE some[2];
    REQUIRE(api_->FindObjects(session, some, 2, &count) == CKR_OK);
    all.insert(all.end(), some, some + count);
  }
  REQUIRE(api_->FindObjectsFinal(session) == CKR_OK);
  return all;
}

CK_RV RawToken::Set(CK_OBJECT_HANDLE object, const Template& changes) {
  const auto native = changes.Native();
  return api_->SetAttributeValue(session_, object, native.data(), native.size());
}

Bytes RawToken::Sign(CK_MECHANISM& mechanism, CK_OBJECT_HANDLE key, ByteView data, CK_RV* rv) {
  *rv = api_->SignInit(session_, &mechanism, key);
  if (*rv != CKR_OK) return {};
  Bytes in = base::ToBytes(data);
  Bytes out(1024);
  CK_ULONG size = out.size();
  *rv = api_->Sign(session_, in.data(), in.size(), out.data(), &size);
  if (*rv != CKR_OK) return {};
  out.resize(size);
  return out;
}

Template PublicPart(bool token, std::uint8_t id, CK_ATTRIBUTE_TYPE usage) {
  Template part;
  part.Bool(CKA_TOKEN, token).Bool(CKA_PRIVATE, false).Raw(CKA_ID, Bytes{id}).Text(CKA_LABEL, "contract");
  for (const CK_ATTRIBUTE_TYPE type : {CKA_ENCRYPT, CKA_VERIFY, CKA_WRAP}) part.Bool(type, type == usage);
  return part;
}

Template PrivatePart(bool token, std::uint8_t id, CK_ATTRIBUTE_TYPE usage, bool extractable) {
  Template part;
  part.Bool(CKA_TOKEN, token).Bool(CKA_PRIVATE, true).Raw(CKA_ID, Bytes{id}).Text(CKA_LABEL, "contract");
  part.Bool(CKA_SENSITIVE, true).Bool(CKA_EXTRACTABLE, extractable);
  for (const CK_ATTRIBUTE_TYPE type : {CKA_SIGN, CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE}) part.Bool(type, type == usage);
  return part;
}

Bytes P256Params() { return {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}; }

Bytes RawPoint(const Bytes& attribute) { return hsm::DecodeEcPoint(attribute, 65).value(); }

}  // namespace contract
