// RecordingCryptoki hands a description of every call to a sink: what was asked,
// what came back, how long it took. Replay compares two such lists, call by call.
//
// Nothing secret is in a description: PINs, data, signatures and wrapped keys are
// sizes, attribute values are as DescribeValue spells them. As far as possible nothing depends on the run: slots,
// sessions and objects are numbered as they are first seen ("session 1", "object 3"), so that two runs can be compared.
// A handle that is given out anew gets a new number.
#ifndef HSM_RECORDING_CRYPTOKI_H_
#define HSM_RECORDING_CRYPTOKI_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "hsm/intercepting_cryptoki.h"
#include "hsm/observer.h"

namespace hsm {

struct RecordedCall {
  Function function{};
  CK_RV rv = CKR_OK;
  std::chrono::nanoseconds duration{};  // inside the call
  std::string mechanism;                // "CKM_RSA_PKCS_OAEP SHA256"; empty where there is none
  Description input;                    // {"session", "session 1"}, {"CKA_SIGN", "true"}, {"pin", "(8 bytes)"}
  Description output;                   // empty when the call failed

  // Line is the call in one line without its time, for comparison and for
  // people: `C_SignInit session 1 CKM_ECDSA key=object 2 -> CKR_OK`.
  std::string Line() const;
};

class CallSink {
 public:
  virtual ~CallSink() = default;
  // Record gets each call after it returned, in order.
  virtual void Record(const RecordedCall& call) = 0;
};

class RecordingCryptoki final : public InterceptingCryptoki {
 public:
  // The sink is borrowed and must outlive this object.
  RecordingCryptoki(std::unique_ptr<CryptokiApi> inner, CallSink& sink)
      : InterceptingCryptoki(std::move(inner)), sink_(sink) {}

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

 protected:
  CK_RV Around(Function function, const InnerCall& call) override;

 private:
  // Ordinals gives handles of one kind their numbers.
  class Ordinals final {
   public:
    explicit Ordinals(std::string kind) : kind_(std::move(kind)) {}
    // Of numbers a handle at its first sight; New numbers it afresh.
    std::string Of(CK_ULONG handle);
    std::string New(CK_ULONG handle);
    void Forget(CK_ULONG handle) { numbers_.erase(handle); }

   private:
    std::string kind_;
    std::map<CK_ULONG, std::uint64_t> numbers_;
    std::uint64_t last_ = 0;
  };

  RecordedCall InSession(Function function, CK_SESSION_HANDLE session);
  // Runs and times the call; the caller adds outputs and hands it to the sink.
  CK_RV Run(RecordedCall& recorded, const InnerCall& call);
  // As Run, for calls without outputs.
  CK_RV RunAndRecord(RecordedCall recorded, const InnerCall& call);

  CallSink& sink_;
  Ordinals slots_{"slot"};
  Ordinals sessions_{"session"};
  Ordinals objects_{"object"};
};

// DescribeMechanism spells a mechanism with the parameters that matter: the
// hashes of OAEP and PSS, the derivation of ECDH; never a key or a point.
std::string DescribeMechanism(const CK_MECHANISM& mechanism);

}  // namespace hsm

#endif  // HSM_RECORDING_CRYPTOKI_H_
