// RawToken drives a world's token by the plain calls of CryptokiApi.
#ifndef TESTS_CONTRACT_RAW_TOKEN_H_
#define TESTS_CONTRACT_RAW_TOKEN_H_

#include <memory>
#include <string>
#include <vector>

#include "hsm/base/public_key.h"
#include "hsm/template.h"
#include "tests/support/token_world.h"

namespace contract {

using hsm::Bytes;
using hsm::ByteView;
using hsm::Template;

enum class LogIn { kNo, kYes };

class RawToken final {
 public:
  // Initialises the module and opens a read-write session.
  RawToken(support::TokenWorld& world, LogIn log_in);
  ~RawToken();                         // finalises
  RawToken(const RawToken&) = delete;  // one module, one C_Finalize
  RawToken& operator=(const RawToken&) = delete;

  hsm::CryptokiApi& api() { return *api_; }
  CK_SLOT_ID slot() const { return slot_; }
  CK_SESSION_HANDLE session() const { return session_; }

  CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, std::string pin);
  CK_SESSION_HANDLE Open(CK_FLAGS flags);
  CK_FLAGS TokenFlags();
  CK_STATE State(CK_SESSION_HANDLE session);
  bool Has(CK_MECHANISM_TYPE mechanism);

  struct Pair {
    CK_RV rv = CKR_OK;
    CK_OBJECT_HANDLE public_key = 0;
    CK_OBJECT_HANDLE private_key = 0;
  };
  Pair Generate(CK_MECHANISM_TYPE mechanism, const Template& public_part, const Template& private_part);
  // A P-256 key pair for signing, token or session objects, with CKA_ID `id`.
  Pair GenerateP256(bool token, std::uint8_t id);

  // The attribute's bytes; `rv` gets the return value of the call that read it.
  Bytes Get(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, CK_RV* rv = nullptr);
  bool GetBool(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) { return Get(object, type) == Bytes{1}; }
  std::vector<CK_OBJECT_HANDLE> Find(CK_SESSION_HANDLE session, const Template& match);
  CK_RV Set(CK_OBJECT_HANDLE object, const Template& changes);

  // The raw signature, or nothing with *rv.
  Bytes Sign(CK_MECHANISM& mechanism, CK_OBJECT_HANDLE key, ByteView data, CK_RV* rv);

 private:
  support::TokenWorld& world_;
  std::unique_ptr<hsm::CryptokiApi> api_;
  support::InitArguments arguments_;
  CK_SLOT_ID slot_ = 0;
  CK_SESSION_HANDLE session_ = 0;
};

// Templates for a key pair; every flag that is not named is false.
Template PublicPart(bool token, std::uint8_t id, CK_ATTRIBUTE_TYPE usage);
Template PrivatePart(bool token, std::uint8_t id, CK_ATTRIBUTE_TYPE usage, bool extractable);
// CKA_EC_PARAMS of P-256.
Bytes P256Params();
// The point of a CKA_EC_POINT, wrapped or not.
Bytes RawPoint(const Bytes& attribute);

}  // namespace contract

#endif  // TESTS_CONTRACT_RAW_TOKEN_H_
