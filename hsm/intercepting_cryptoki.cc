#include "hsm/intercepting_cryptoki.h"

namespace hsm {

CK_RV InterceptingCryptoki::Initialize(void* arguments) {
  return Around(Function::kInitialize, InnerCall([&] { return inner_->Initialize(arguments); }));
}

CK_RV InterceptingCryptoki::Finalize() {
  return Around(Function::kFinalize, InnerCall([&] { return inner_->Finalize(); }));
}

CK_RV InterceptingCryptoki::GetInfo(CK_INFO* info) {
  return Around(Function::kGetInfo, InnerCall([&] { return inner_->GetInfo(info); }));
}

CK_RV InterceptingCryptoki::GetSlotList(CK_BBOOL token_present, CK_SLOT_ID* slots, CK_ULONG* count) {
  return Around(Function::kGetSlotList, InnerCall([&] { return inner_->GetSlotList(token_present, slots, count); }));
}

CK_RV InterceptingCryptoki::GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO* info) {
  return Around(Function::kGetSlotInfo, InnerCall([&] { return inner_->GetSlotInfo(slot, info); }));
}

CK_RV InterceptingCryptoki::GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  return Around(Function::kGetTokenInfo, InnerCall([&] { return inner_->GetTokenInfo(slot, info); }));
}

CK_RV InterceptingCryptoki::GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE* mechanisms, CK_ULONG* count) {
  return Around(Function::kGetMechanismList,
                InnerCall([&] { return inner_->GetMechanismList(slot, mechanisms, count); }));
}

CK_RV InterceptingCryptoki::GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE mechanism, CK_MECHANISM_INFO* info) {
  return Around(Function::kGetMechanismInfo,
                InnerCall([&] { return inner_->GetMechanismInfo(slot, mechanism, info); }));
}

CK_RV InterceptingCryptoki::InitToken(CK_SLOT_ID slot, CK_UTF8CHAR* pin, CK_ULONG pin_size, CK_UTF8CHAR* label) {
  return Around(Function::kInitToken, InnerCall([&] { return inner_->InitToken(slot, pin, pin_size, label); }));
}

CK_RV InterceptingCryptoki::InitPin(CK_SESSION_HANDLE session, CK_UTF8CHAR* pin, CK_ULONG pin_size) {
  return Around(Function::kInitPin, InnerCall([&] { return inner_->InitPin(session, pin, pin_size); }));
}

CK_RV InterceptingCryptoki::SetPin(CK_SESSION_HANDLE session, CK_UTF8CHAR* old_pin, CK_ULONG old_size,
                                   CK_UTF8CHAR* new_pin, CK_ULONG new_size) {
  return Around(Function::kSetPin,
                InnerCall([&] { return inner_->SetPin(session, old_pin, old_size, new_pin, new_size); }));
}

CK_RV InterceptingCryptoki::OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, CK_SESSION_HANDLE* session) {
  return Around(Function::kOpenSession, InnerCall([&] { return inner_->OpenSession(slot, flags, session); }));
}

CK_RV InterceptingCryptoki::CloseSession(CK_SESSION_HANDLE session) {
  return Around(Function::kCloseSession, InnerCall([&] { return inner_->CloseSession(session); }));
}

CK_RV InterceptingCryptoki::GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO* info) {
  return Around(Function::kGetSessionInfo, InnerCall([&] { return inner_->GetSessionInfo(session, info); }));
}

CK_RV InterceptingCryptoki::Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG pin_size) {
  return Around(Function::kLogin, InnerCall([&] { return inner_->Login(session, user, pin, pin_size); }));
}

CK_RV InterceptingCryptoki::Logout(CK_SESSION_HANDLE session) {
  return Around(Function::kLogout, InnerCall([&] { return inner_->Logout(session); }));
}

CK_RV InterceptingCryptoki::CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count,
                                         CK_OBJECT_HANDLE* object) {
  return Around(Function::kCreateObject,
                InnerCall([&] { return inner_->CreateObject(session, attributes, count, object); }));
}

CK_RV InterceptingCryptoki::DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  return Around(Function::kDestroyObject, InnerCall([&] { return inner_->DestroyObject(session, object); }));
}

CK_RV InterceptingCryptoki::GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                              CK_ATTRIBUTE* attributes, CK_ULONG count) {
  return Around(Function::kGetAttributeValue,
                InnerCall([&] { return inner_->GetAttributeValue(session, object, attributes, count); }));
}

CK_RV InterceptingCryptoki::SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                              CK_ATTRIBUTE* attributes, CK_ULONG count) {
  return Around(Function::kSetAttributeValue,
                InnerCall([&] { return inner_->SetAttributeValue(session, object, attributes, count); }));
}

CK_RV InterceptingCryptoki::FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count) {
  return Around(Function::kFindObjectsInit,
                InnerCall([&] { return inner_->FindObjectsInit(session, attributes, count); }));
}

CK_RV InterceptingCryptoki::FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG capacity,
                                        CK_ULONG* count) {
  return Around(Function::kFindObjects,
                InnerCall([&] { return inner_->FindObjects(session, objects, capacity, count); }));
}

CK_RV InterceptingCryptoki::FindObjectsFinal(CK_SESSION_HANDLE session) {
  return Around(Function::kFindObjectsFinal, InnerCall([&] { return inner_->FindObjectsFinal(session); }));
}

CK_RV InterceptingCryptoki::SignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return Around(Function::kSignInit, InnerCall([&] { return inner_->SignInit(session, mechanism, key); }));
}

CK_RV InterceptingCryptoki::Sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG data_size, CK_BYTE* signature,
                                 CK_ULONG* signature_size) {
  return Around(Function::kSign,
                InnerCall([&] { return inner_->Sign(session, data, data_size, signature, signature_size); }));
}

CK_RV InterceptingCryptoki::GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* attributes,
                                        CK_ULONG count, CK_OBJECT_HANDLE* key) {
  return Around(Function::kGenerateKey,
                InnerCall([&] { return inner_->GenerateKey(session, mechanism, attributes, count, key); }));
}

CK_RV InterceptingCryptoki::GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                                            CK_ATTRIBUTE* public_attributes, CK_ULONG public_count,
                                            CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                                            CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) {
  return Around(Function::kGenerateKeyPair, InnerCall([&] {
                  return inner_->GenerateKeyPair(session, mechanism, public_attributes, public_count,
                                                 private_attributes, private_count, public_key, private_key);
                }));
}

CK_RV InterceptingCryptoki::WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE wrapping_key,
                                    CK_OBJECT_HANDLE key, CK_BYTE* wrapped, CK_ULONG* wrapped_size) {
  return Around(Function::kWrapKey, InnerCall([&] {
                  return inner_->WrapKey(session, mechanism, wrapping_key, key, wrapped, wrapped_size);
                }));
}

CK_RV InterceptingCryptoki::UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                                      CK_OBJECT_HANDLE unwrapping_key, CK_BYTE* wrapped, CK_ULONG wrapped_size,
                                      CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) {
  return Around(Function::kUnwrapKey, InnerCall([&] {
                  return inner_->UnwrapKey(session, mechanism, unwrapping_key, wrapped, wrapped_size, attributes, count,
                                           key);
                }));
}

CK_RV InterceptingCryptoki::DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE base_key,
                                      CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) {
  return Around(Function::kDeriveKey,
                InnerCall([&] { return inner_->DeriveKey(session, mechanism, base_key, attributes, count, key); }));
}

CK_RV InterceptingCryptoki::GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG size) {
  return Around(Function::kGenerateRandom, InnerCall([&] { return inner_->GenerateRandom(session, out, size); }));
}

}  // namespace hsm
