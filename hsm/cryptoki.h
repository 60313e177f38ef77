// The one include of the PKCS#11 header, and CryptokiApi: the seam between this
// project and a module. Every call that we make of PKCS#11 2.40 is one virtual
// function, so that a module can be real, fake, timed, recorded or made to fail.
//
// Types and constants keep the spelling of the standard (CK_RV, CKA_LABEL);
// nothing outside folder `hsm` uses them.
#ifndef HSM_CRYPTOKI_H_
#define HSM_CRYPTOKI_H_

#define CK_DISABLE_TRUE_FALSE 1
#include <p11-kit/pkcs11.h>

// The header renames structure members by macros and forgets to take some back.
#undef hash_alg
#undef s_len
#undef source_data
#undef source_data_len
#undef counter_bits
#undef iv_ptr
#undef iv_len
#undef iv_bits
#undef aad_ptr
#undef aad_len
#undef tag_bits
#undef shared_data_len
#undef shared_data
#undef public_data_len
#undef public_data
#undef string_data
#undef string_data_len
#undef data_params

#include <array>
#include <cstdint>
#include <string_view>

#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

// What PKCS#11 3.0 and vendors added since, where the header does not have it.
#ifndef CKM_AES_KEY_WRAP_KWP
inline constexpr CK_MECHANISM_TYPE CKM_AES_KEY_WRAP_KWP = 0x210bUL;  // RFC 5649, PKCS#11 3.0
#endif
#ifndef CKM_EC_MONTGOMERY_KEY_PAIR_GEN
inline constexpr CK_MECHANISM_TYPE CKM_EC_MONTGOMERY_KEY_PAIR_GEN = 0x1056UL;
#endif
#ifndef CKK_EC_MONTGOMERY
inline constexpr CK_KEY_TYPE CKK_EC_MONTGOMERY = 0x41UL;
#endif
#ifndef CKR_OPERATION_CANCEL_FAILED
inline constexpr CK_RV CKR_OPERATION_CANCEL_FAILED = 0x202UL;
#endif
#ifndef CKR_TOKEN_RESOURCE_EXCEEDED
inline constexpr CK_RV CKR_TOKEN_RESOURCE_EXCEEDED = 0x201UL;
#endif
#ifndef CKA_UNIQUE_ID
inline constexpr CK_ATTRIBUTE_TYPE CKA_UNIQUE_ID = 0x4UL;
#endif
// NSS: the EC point (or another public value) that lets softoken import a private key.
inline constexpr CK_ATTRIBUTE_TYPE CKA_NSS_DB = 0xd5a0db00UL;

namespace hsm {

using base::Bytes;
using base::ByteView;
using base::Error;
using base::ErrorCode;
using base::Result;

// Function names a call of the seam, in the order of the standard.
enum class Function : std::uint8_t {
  kInitialize,
  kFinalize,
  kGetInfo,
  kGetSlotList,
  kGetSlotInfo,
  kGetTokenInfo,
  kGetMechanismList,
  kGetMechanismInfo,
  kInitToken,
  kInitPin,
  kSetPin,
  kOpenSession,
  kCloseSession,
  kGetSessionInfo,
  kLogin,
  kLogout,
  kCreateObject,
  kDestroyObject,
  kGetAttributeValue,
  kSetAttributeValue,
  kFindObjectsInit,
  kFindObjects,
  kFindObjectsFinal,
  kSignInit,
  kSign,
  kGenerateKey,
  kGenerateKeyPair,
  kWrapKey,
  kUnwrapKey,
  kDeriveKey,
  kGenerateRandom,
};
inline constexpr std::size_t kFunctionCount = 31;

// FunctionName returns the name in the standard: "C_GenerateKeyPair".
std::string_view FunctionName(Function function);

// CryptokiApi is one loaded module. Arguments and return values are those of
// the C_ function of the same name, pointers may be null where the standard
// says so, and nothing is checked or translated here.
class CryptokiApi {
 public:
  virtual ~CryptokiApi() = default;

  virtual CK_RV Initialize(void* arguments) = 0;
  virtual CK_RV Finalize() = 0;
  virtual CK_RV GetInfo(CK_INFO* info) = 0;

  virtual CK_RV GetSlotList(CK_BBOOL token_present, CK_SLOT_ID* slots, CK_ULONG* count) = 0;
  virtual CK_RV GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO* info) = 0;
  virtual CK_RV GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) = 0;
  virtual CK_RV GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE* mechanisms, CK_ULONG* count) = 0;
  virtual CK_RV GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE mechanism, CK_MECHANISM_INFO* info) = 0;
  virtual CK_RV InitToken(CK_SLOT_ID slot, CK_UTF8CHAR* pin, CK_ULONG pin_size, CK_UTF8CHAR* label) = 0;
  virtual CK_RV InitPin(CK_SESSION_HANDLE session, CK_UTF8CHAR* pin, CK_ULONG pin_size) = 0;
  virtual CK_RV SetPin(CK_SESSION_HANDLE session, CK_UTF8CHAR* old_pin, CK_ULONG old_size, CK_UTF8CHAR* new_pin,
                       CK_ULONG new_size) = 0;

  virtual CK_RV OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, CK_SESSION_HANDLE* session) = 0;
  virtual CK_RV CloseSession(CK_SESSION_HANDLE session) = 0;
  virtual CK_RV GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO* info) = 0;
  virtual CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG pin_size) = 0;
  virtual CK_RV Logout(CK_SESSION_HANDLE session) = 0;

  virtual CK_RV CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count,
                             CK_OBJECT_HANDLE* object) = 0;
  virtual CK_RV DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) = 0;
  virtual CK_RV GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                                  CK_ULONG count) = 0;
  virtual CK_RV SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                                  CK_ULONG count) = 0;
  virtual CK_RV FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count) = 0;
  virtual CK_RV FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG capacity,
                            CK_ULONG* count) = 0;
  virtual CK_RV FindObjectsFinal(CK_SESSION_HANDLE session) = 0;

  virtual CK_RV SignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) = 0;
  virtual CK_RV Sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG data_size, CK_BYTE* signature,
                     CK_ULONG* signature_size) = 0;

  virtual CK_RV GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* attributes,
                            CK_ULONG count, CK_OBJECT_HANDLE* key) = 0;
  virtual CK_RV GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* public_attributes,
                                CK_ULONG public_count, CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                                CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) = 0;
  virtual CK_RV WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE wrapping_key,
                        CK_OBJECT_HANDLE key, CK_BYTE* wrapped, CK_ULONG* wrapped_size) = 0;
  virtual CK_RV UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE unwrapping_key,
                          CK_BYTE* wrapped, CK_ULONG wrapped_size, CK_ATTRIBUTE* attributes, CK_ULONG count,
                          CK_OBJECT_HANDLE* key) = 0;
  virtual CK_RV DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE base_key,
                          CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) = 0;
  virtual CK_RV GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG size) = 0;
};

}  // namespace hsm

#endif  // HSM_CRYPTOKI_H_
