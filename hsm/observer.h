// CallObserver is told of every PKCS#11 call. Through it the events on a token reach a record, and this folder need not
// know what a record is.
#ifndef HSM_OBSERVER_H_
#define HSM_OBSERVER_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hsm/cryptoki.h"

namespace hsm {

class Session;

// NamedValue is one attribute or parameter in words: {"CKA_SIGN", "true"}.
struct NamedValue {
  std::string name;
  std::string value;
  bool operator==(const NamedValue&) const = default;
};
using Description = std::vector<NamedValue>;

// ConsequentialCall is the plan of a call that changes a token or uses a ceremony's key. It is complete before the call
// and never holds a secret.
struct ConsequentialCall {
  std::uint64_t number = 0;   // from CallObserver::NextCallNumber; joins Before and After
  Function function{};        // FunctionName(function) is its name
  std::string token_label;    // of the token that is called; for C_InitToken the label it will get
  std::string token_serial;   // empty when an empty slot has none yet
  std::string mechanism;      // "CKM_EC_KEY_PAIR_GEN", with parameters where they matter; or empty
  Description attributes;     // the template; for a key pair "public.CKA_..." and "private.CKA_..."
  std::string object;         // the object of the call: "private key \"root\" (id 01ab)"; empty for a new one
  std::string planned_id;     // CKA_ID in lowercase hex that a new object will have; or empty
  std::string planned_label;  // its CKA_LABEL; or empty
  std::string input_sha256;   // for C_Sign: SHA-256 in hex of the message; or empty
  std::string input;          // the message itself in base64, where the caller wants it told (Consequence::kProof)
  // The session in use, so that the observer can take an inventory in Before
  // and in After (TakeInventory(*session)); nullptr for C_InitToken.
  Session* session = nullptr;
  // For C_InitToken: the slot held an initialised token, so that nobody knows here what is wiped with it.
  bool wipes = false;
};

// CallOutcome is its result. After gets it when the read-back is done, and also when the call or the read-back failed.
struct CallOutcome {
  CK_RV rv = CKR_GENERAL_ERROR;         // of the call itself, RvName(rv) in words; nothing is a success unsaid
  Description attributes;               // as read back; for a key pair "public." and "private." as above
  std::string spki;                     // DER SubjectPublicKeyInfo in base64 where a key came out; or empty
  std::string problem;                  // what was wrong after an rv of CKR_OK: a failed read-back; or empty
  std::chrono::nanoseconds duration{};  // inside the call
};

class CallObserver {
 public:
  virtual ~CallObserver() = default;

  // Called after each call that reached the module, consequential or not.
  virtual void Called(Function function, CK_RV rv, std::chrono::nanoseconds duration) {
    static_cast<void>(function), static_cast<void>(rv), static_cast<void>(duration);
  }

  // Before comes ahead of a consequential call. An error is a veto: the call is
  // not made, After is not called, and the caller gets that error.
  virtual Result<void> Before(const ConsequentialCall& call) {
    static_cast<void>(call);
    return {};
  }

  // After follows a call that Before let pass, always and once. An error ends
  // the operation that asked, although the call was made.
  virtual Result<void> After(const ConsequentialCall& call, const CallOutcome& outcome) {
    static_cast<void>(call), static_cast<void>(outcome);
    return {};
  }

  // Trouble gets errors that a destructor cannot return (C_CloseSession failed).
  virtual void Trouble(const Error& error) { static_cast<void>(error); }

  // NextCallNumber numbers consequential calls: 1, 2, 3... One observer serves
  // all modules of a ceremony, so that a number names one call of it.
  virtual std::uint64_t NextCallNumber() { return ++last_number_; }

 private:
  std::uint64_t last_number_ = 0;
};

}  // namespace hsm

#endif  // HSM_OBSERVER_H_
