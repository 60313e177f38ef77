// RealCryptoki is a PKCS#11 module loaded from a shared object.
#ifndef HSM_REAL_CRYPTOKI_H_
#define HSM_REAL_CRYPTOKI_H_

#include <memory>
#include <string>

#include "hsm/cryptoki.h"

namespace hsm {

class RealCryptoki final : public CryptokiApi {
 public:
  // Load opens the shared object at `path` (RTLD_NOW, RTLD_LOCAL, so that two
  // modules never see each other's symbols) and takes the function list of
  // C_GetFunctionList, or where a 3.0 module lacks that one, of C_GetInterface.
  // It initialises nothing. kNotFound: there is no such file. kUnsupported: it is not a module. Both name the path and
  // quote the loader.
  //
  // The shared object stays in memory until the process ends: modules leave
  // threads and exit handlers behind that must not lose their code.
  static Result<std::unique_ptr<RealCryptoki>> Load(const std::string& path);

  // A list is borrowed for the life of the process, as a module's own is.
  explicit RealCryptoki(const CK_FUNCTION_LIST* list) : list_(list) {}

  CK_RV Initialize(void* arguments) override;
  CK_RV Finalize() override;
  CK_RV GetInfo(CK_INFO* info) override;
  CK_RV GetSlotList(CK_BBOOL token_present, CK_SLOT_ID* slots, CK_ULONG* count) override;
  CK_RV GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO* info) override;
  CK_RV GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) override;
  CK_RV GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE* mechanisms, CK_ULONG* count) override;
  CK_RV GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE mechanism, CK_MECHANISM_INFO* info) override;
  CK_RV InitToken(CK_SLOT_ID slot, CK_UTF8CHAR* pin, CK_ULONG pin_size, CK_UTF8CHAR* label) override;
  CK_RV InitPin(CK_SESSION_HANDLE session, CK_UTF8CHAR* pin, CK_ULONG pin_size) override;
  CK_RV SetPin(CK_SESSION_HANDLE session, CK_UTF8CHAR* old_pin, CK_ULONG old_size, CK_UTF8CHAR* new_pin,
               CK_ULONG new_size) override;
  CK_RV OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, CK_SESSION_HANDLE* session) override;
  CK_RV CloseSession(CK_SESSION_HANDLE session) override;
  CK_RV GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO* info) override;
  CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG pin_size) override;
  CK_RV Logout(CK_SESSION_HANDLE session) override;
  CK_RV CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count,
                     CK_OBJECT_HANDLE* object) override;
  CK_RV DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) override;
  CK_RV GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                          CK_ULONG count) override;
  CK_RV SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                          CK_ULONG count) override;
  CK_RV FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count) override;
  CK_RV FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG capacity, CK_ULONG* count) override;
  CK_RV FindObjectsFinal(CK_SESSION_HANDLE session) override;
  CK_RV SignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) override;
  CK_RV Sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG data_size, CK_BYTE* signature,
             CK_ULONG* signature_size) override;
  CK_RV GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* attributes, CK_ULONG count,
                    CK_OBJECT_HANDLE* key) override;
  CK_RV GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* public_attributes,
                        CK_ULONG public_count, CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                        CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) override;
  CK_RV WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key,
                CK_BYTE* wrapped, CK_ULONG* wrapped_size) override;
  CK_RV UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE unwrapping_key, CK_BYTE* wrapped,
                  CK_ULONG wrapped_size, CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) override;
  CK_RV DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE base_key,
                  CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) override;
  CK_RV GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG size) override;

 private:
  const CK_FUNCTION_LIST* list_;
};

}  // namespace hsm

#endif  // HSM_REAL_CRYPTOKI_H_
