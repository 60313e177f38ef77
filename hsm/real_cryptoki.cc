#include "hsm/real_cryptoki.h"

#include <dlfcn.h>

#include <string_view>

#include "hsm/describe.h"
#include "hsm/module_file.h"

namespace hsm {
namespace {

// PKCS#11 3.0 section 5.4: what C_GetInterface returns. The function list of
// every 3.x interface begins with the members of the 2.40 list.
struct Interface {
  char* name;
  void* function_list;
  CK_FLAGS flags;
};
using GetFunctionListType = CK_RV (*)(CK_FUNCTION_LIST**);
using GetInterfaceType = CK_RV (*)(CK_UTF8CHAR*, CK_VERSION*, Interface**, CK_FLAGS);

// A list may lack functions that the module does not have.
template <typename F, typename... Arguments>
CK_RV Call(F function, Arguments... arguments) {
  return function == nullptr ? CKR_FUNCTION_NOT_SUPPORTED : function(arguments...);
}

// The standard's own interface, by its name; what a module gives without one may be a vendor's, whose list is another.
CK_RV AskForInterface(GetInterfaceType get_interface, const CK_FUNCTION_LIST** list) {
  char wanted[] = "PKCS 11";
  for (CK_UTF8CHAR* const name : {reinterpret_cast<CK_UTF8CHAR*>(wanted), static_cast<CK_UTF8CHAR*>(nullptr)}) {
    Interface* found = nullptr;
    const CK_RV rv = get_interface(name, nullptr, &found, 0);
    const bool standard = rv == CKR_OK && found != nullptr && found->name != nullptr &&
                          std::string_view(found->name) == std::string_view(wanted);
    if (standard) *list = static_cast<const CK_FUNCTION_LIST*>(found->function_list);
    if (standard || name == nullptr) return rv;
  }
  return CKR_FUNCTION_FAILED;
}

std::string LoaderSays() {
  const char* text = dlerror();
  return text == nullptr ? "no reason given" : text;
}

}  // namespace

Result<std::unique_ptr<RealCryptoki>> RealCryptoki::Load(const std::string& path) {
  if (path.find('/') == std::string::npos) {
    // dlopen would search the library path: a module is named by the file that was reviewed.
    return base::MakeError(ErrorCode::kInvalidInput, "module \"" + path + "\" is not a path")
        .WithHint("give the module's path, such as /usr/lib/softhsm/libsofthsm2.so");
  }
  KC_RETURN_IF_ERROR(CheckModuleFile(path));
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    return base::MakeError(ErrorCode::kUnsupported, "module " + path + " cannot be loaded: " + LoaderSays());
  }
  const CK_FUNCTION_LIST* list = nullptr;
  CK_RV rv = CKR_FUNCTION_NOT_SUPPORTED;
  std::string call = "C_GetFunctionList";
  if (const auto get_list = reinterpret_cast<GetFunctionListType>(dlsym(library, "C_GetFunctionList"))) {
    CK_FUNCTION_LIST* found = nullptr;
    rv = get_list(&found);
    list = found;
  } else if (const auto get_interface = reinterpret_cast<GetInterfaceType>(dlsym(library, "C_GetInterface"))) {
    call = "C_GetInterface";
    rv = AskForInterface(get_interface, &list);
  } else {
    dlclose(library);
    return base::MakeError(ErrorCode::kUnsupported,
                           path + " is not a PKCS#11 module: it has neither C_GetFunctionList nor C_GetInterface");
  }
  if (rv != CKR_OK || list == nullptr) {
    Error error =
        base::MakeError(ErrorCode::kToken, "module " + path + " gives no function list: " + call + " returned " +
                                               RvName(rv) + (rv == CKR_OK ? " and no list of PKCS#11" : ""));
    error.call = call;
    error.rv = rv;
    return error;
  }
  if (list->version.major != 2 && list->version.major != 3) {
    return base::MakeError(ErrorCode::kUnsupported,
                           "module " + path + " speaks Cryptoki " + std::to_string(list->version.major) + "." +
                               std::to_string(list->version.minor) + ", this program speaks 2.x and 3.x");
  }
  return std::make_unique<RealCryptoki>(list);
}

CK_RV RealCryptoki::Initialize(void* arguments) { return Call(list_->C_Initialize, arguments); }

CK_RV RealCryptoki::Finalize() { return Call(list_->C_Finalize, nullptr); }

CK_RV RealCryptoki::GetInfo(CK_INFO* info) { return Call(list_->C_GetInfo, info); }

CK_RV RealCryptoki::GetSlotList(CK_BBOOL token_present, CK_SLOT_ID* slots, CK_ULONG* count) {
  return Call(list_->C_GetSlotList, token_present, slots, count);
}

CK_RV RealCryptoki::GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO* info) { return Call(list_->C_GetSlotInfo, slot, info); }

CK_RV RealCryptoki::GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  return Call(list_->C_GetTokenInfo, slot, info);
}

CK_RV RealCryptoki::GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE* mechanisms, CK_ULONG* count) {
  return Call(list_->C_GetMechanismList, slot, mechanisms, count);
}

CK_RV RealCryptoki::GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE mechanism, CK_MECHANISM_INFO* info) {
  return Call(list_->C_GetMechanismInfo, slot, mechanism, info);
}

CK_RV RealCryptoki::InitToken(CK_SLOT_ID slot, CK_UTF8CHAR* pin, CK_ULONG pin_size, CK_UTF8CHAR* label) {
  return Call(list_->C_InitToken, slot, pin, pin_size, label);
}

CK_RV RealCryptoki::InitPin(CK_SESSION_HANDLE session, CK_UTF8CHAR* pin, CK_ULONG pin_size) {
  return Call(list_->C_InitPIN, session, pin, pin_size);
}

CK_RV RealCryptoki::SetPin(CK_SESSION_HANDLE session, CK_UTF8CHAR* old_pin, CK_ULONG old_size, CK_UTF8CHAR* new_pin,
                           CK_ULONG new_size) {
  return Call(list_->C_SetPIN, session, old_pin, old_size, new_pin, new_size);
}

CK_RV RealCryptoki::OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, CK_SESSION_HANDLE* session) {
  return Call(list_->C_OpenSession, slot, flags, nullptr, nullptr, session);
}

CK_RV RealCryptoki::CloseSession(CK_SESSION_HANDLE session) { return Call(list_->C_CloseSession, session); }

CK_RV RealCryptoki::GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO* info) {
  return Call(list_->C_GetSessionInfo, session, info);
}

CK_RV RealCryptoki::Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG pin_size) {
  return Call(list_->C_Login, session, user, pin, pin_size);
}

CK_RV RealCryptoki::Logout(CK_SESSION_HANDLE session) { return Call(list_->C_Logout, session); }

CK_RV RealCryptoki::CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count,
                                 CK_OBJECT_HANDLE* object) {
  return Call(list_->C_CreateObject, session, attributes, count, object);
}

CK_RV RealCryptoki::DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  return Call(list_->C_DestroyObject, session, object);
}

CK_RV RealCryptoki::GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                                      CK_ULONG count) {
  return Call(list_->C_GetAttributeValue, session, object, attributes, count);
}

CK_RV RealCryptoki::SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                                      CK_ULONG count) {
  return Call(list_->C_SetAttributeValue, session, object, attributes, count);
}

CK_RV RealCryptoki::FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count) {
  return Call(list_->C_FindObjectsInit, session, attributes, count);
}

CK_RV RealCryptoki::FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG capacity,
                                CK_ULONG* count) {
  return Call(list_->C_FindObjects, session, objects, capacity, count);
}

CK_RV RealCryptoki::FindObjectsFinal(CK_SESSION_HANDLE session) { return Call(list_->C_FindObjectsFinal, session); }

CK_RV RealCryptoki::SignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return Call(list_->C_SignInit, session, mechanism, key);
}

CK_RV RealCryptoki::Sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG data_size, CK_BYTE* signature,
                         CK_ULONG* signature_size) {
  return Call(list_->C_Sign, session, data, data_size, signature, signature_size);
}

CK_RV RealCryptoki::GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* attributes,
                                CK_ULONG count, CK_OBJECT_HANDLE* key) {
  return Call(list_->C_GenerateKey, session, mechanism, attributes, count, key);
}

CK_RV RealCryptoki::GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* public_attributes,
                                    CK_ULONG public_count, CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                                    CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) {
  return Call(list_->C_GenerateKeyPair, session, mechanism, public_attributes, public_count, private_attributes,
              private_count, public_key, private_key);
}

CK_RV RealCryptoki::WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE wrapping_key,
                            CK_OBJECT_HANDLE key, CK_BYTE* wrapped, CK_ULONG* wrapped_size) {
  return Call(list_->C_WrapKey, session, mechanism, wrapping_key, key, wrapped, wrapped_size);
}

CK_RV RealCryptoki::UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE unwrapping_key,
                              CK_BYTE* wrapped, CK_ULONG wrapped_size, CK_ATTRIBUTE* attributes, CK_ULONG count,
                              CK_OBJECT_HANDLE* key) {
  return Call(list_->C_UnwrapKey, session, mechanism, unwrapping_key, wrapped, wrapped_size, attributes, count, key);
}

CK_RV RealCryptoki::DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE base_key,
                              CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) {
  return Call(list_->C_DeriveKey, session, mechanism, base_key, attributes, count, key);
}

CK_RV RealCryptoki::GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG size) {
  return Call(list_->C_GenerateRandom, session, out, size);
}

}  // namespace hsm
