#include "hsm/faulty_cryptoki.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace hsm {

namespace {

// No destructor, no exit handler: what SIGKILL or a power cut leaves.
[[noreturn]] void Kill() {
  ::kill(::getpid(), SIGKILL);
  std::abort();
}

}  // namespace

CK_RV FaultPlan::Run(Function function, const InnerCall& call) {
  calls_.push_back(function);
  if (gone_) return *gone_;
  const auto fault = std::ranges::find(faults_, calls_.size(), &Fault::call);
  if (fault == faults_.end()) return call();
  struck_ = true;
  switch (fault->kind) {
    case Fault::Kind::kFailInstead:
      return fault->rv;
    case Fault::Kind::kFailAfter:
      static_cast<void>(call());
      return fault->rv;
    case Fault::Kind::kGoneFromHere:
      gone_ = fault->rv;
      return fault->rv;
    case Fault::Kind::kKillBefore:
      Kill();
    case Fault::Kind::kKillAfter:
      static_cast<void>(call());
      Kill();
  }
  return fault->rv;
}

CK_RV FaultyCryptoki::Around(Function function, const InnerCall& call) { return plan_->Run(function, call); }

namespace {

constexpr CK_RV kLoading[] = {CKR_GENERAL_ERROR, CKR_HOST_MEMORY, CKR_FUNCTION_FAILED};
constexpr CK_RV kSlot[] = {CKR_TOKEN_NOT_PRESENT, CKR_DEVICE_ERROR, CKR_DEVICE_REMOVED, CKR_SLOT_ID_INVALID,
                           CKR_GENERAL_ERROR};
constexpr CK_RV kInitToken[] = {CKR_DEVICE_ERROR,   CKR_DEVICE_REMOVED,        CKR_PIN_INCORRECT,    CKR_PIN_LEN_RANGE,
                                CKR_SESSION_EXISTS, CKR_TOKEN_WRITE_PROTECTED, CKR_TOKEN_NOT_PRESENT};
constexpr CK_RV kPin[] = {CKR_DEVICE_ERROR,  CKR_DEVICE_REMOVED, CKR_PIN_LEN_RANGE,        CKR_PIN_INVALID,
                          CKR_PIN_INCORRECT, CKR_PIN_LOCKED,     CKR_TOKEN_WRITE_PROTECTED};
constexpr CK_RV kLogin[] = {CKR_PIN_INCORRECT,
                            CKR_PIN_LOCKED,
                            CKR_PIN_EXPIRED,
                            CKR_USER_ALREADY_LOGGED_IN,
                            CKR_USER_ANOTHER_ALREADY_LOGGED_IN,
                            CKR_USER_PIN_NOT_INITIALIZED,
                            CKR_DEVICE_ERROR,
                            CKR_DEVICE_REMOVED,
                            CKR_FUNCTION_CANCELED};
constexpr CK_RV kSession[] = {CKR_DEVICE_ERROR, CKR_DEVICE_REMOVED, CKR_SESSION_HANDLE_INVALID, CKR_HOST_MEMORY,
                              CKR_GENERAL_ERROR};
constexpr CK_RV kOpenSession[] = {CKR_DEVICE_ERROR,  CKR_DEVICE_REMOVED,       CKR_TOKEN_NOT_PRESENT,
                                  CKR_SESSION_COUNT, CKR_TOKEN_NOT_RECOGNIZED, CKR_HOST_MEMORY};
constexpr CK_RV kRead[] = {CKR_DEVICE_ERROR,           CKR_DEVICE_REMOVED,     CKR_OBJECT_HANDLE_INVALID,
                           CKR_SESSION_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN, CKR_GENERAL_ERROR,
                           CKR_ATTRIBUTE_VALUE_INVALID};
constexpr CK_RV kSearch[] = {CKR_DEVICE_ERROR, CKR_DEVICE_REMOVED, CKR_OPERATION_ACTIVE, CKR_SESSION_HANDLE_INVALID};
constexpr CK_RV kWrite[] = {CKR_DEVICE_ERROR,          CKR_DEVICE_REMOVED,          CKR_DEVICE_MEMORY,
                            CKR_TOKEN_WRITE_PROTECTED, CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT,
                            CKR_ACTION_PROHIBITED,     CKR_SESSION_READ_ONLY,       CKR_USER_NOT_LOGGED_IN,
                            CKR_GENERAL_ERROR};
constexpr CK_RV kGenerate[] = {CKR_DEVICE_ERROR,
                               CKR_DEVICE_REMOVED,
                               CKR_DEVICE_MEMORY,
                               CKR_MECHANISM_INVALID,
                               CKR_ATTRIBUTE_VALUE_INVALID,
                               CKR_TEMPLATE_INCONSISTENT,
                               CKR_CURVE_NOT_SUPPORTED,
                               CKR_KEY_SIZE_RANGE,
                               CKR_USER_NOT_LOGGED_IN,
                               CKR_FUNCTION_FAILED,
                               CKR_GENERAL_ERROR};
constexpr CK_RV kCrypt[] = {CKR_DEVICE_ERROR,
                            CKR_DEVICE_REMOVED,
                            CKR_KEY_HANDLE_INVALID,
                            CKR_MECHANISM_INVALID,
                            CKR_KEY_FUNCTION_NOT_PERMITTED,
                            CKR_USER_NOT_LOGGED_IN,
                            CKR_FUNCTION_FAILED,
                            CKR_OPERATION_ACTIVE};
constexpr CK_RV kMove[] = {CKR_DEVICE_ERROR,
                           CKR_DEVICE_REMOVED,
                           CKR_DEVICE_MEMORY,
                           CKR_KEY_UNEXTRACTABLE,
                           CKR_KEY_NOT_WRAPPABLE,
                           CKR_WRAPPED_KEY_INVALID,
                           CKR_MECHANISM_PARAM_INVALID,
                           CKR_MECHANISM_INVALID,
                           CKR_KEY_FUNCTION_NOT_PERMITTED,
                           CKR_TEMPLATE_INCONSISTENT};
constexpr CK_RV kRandom[] = {CKR_DEVICE_ERROR, CKR_DEVICE_REMOVED, CKR_RANDOM_NO_RNG, CKR_SESSION_HANDLE_INVALID};

}  // namespace

std::span<const CK_RV> PlausibleErrors(Function function) {
  switch (function) {
    case Function::kInitialize:
    case Function::kFinalize:
    case Function::kGetInfo:
    case Function::kGetSlotList:
      return kLoading;
    case Function::kGetSlotInfo:
    case Function::kGetTokenInfo:
    case Function::kGetMechanismList:
    case Function::kGetMechanismInfo:
      return kSlot;
    case Function::kInitToken:
      return kInitToken;
    case Function::kInitPin:
    case Function::kSetPin:
      return kPin;
    case Function::kOpenSession:
      return kOpenSession;
    case Function::kCloseSession:
    case Function::kGetSessionInfo:
    case Function::kLogout:
      return kSession;
    case Function::kLogin:
      return kLogin;
    case Function::kCreateObject:
    case Function::kDestroyObject:
    case Function::kSetAttributeValue:
      return kWrite;
    case Function::kGetAttributeValue:
      return kRead;
    case Function::kFindObjectsInit:
    case Function::kFindObjects:
    case Function::kFindObjectsFinal:
      return kSearch;
    case Function::kSignInit:
    case Function::kSign:
      return kCrypt;
    case Function::kGenerateKey:
    case Function::kGenerateKeyPair:
      return kGenerate;
    case Function::kWrapKey:
    case Function::kUnwrapKey:
    case Function::kDeriveKey:
      return kMove;
    case Function::kGenerateRandom:
      return kRandom;
  }
  return kLoading;
}

}  // namespace hsm
