// StrangeCryptoki is a token with the habits that a real one may have and SoftHSM has not: at one call of a ceremony it
// gives lengths and counts that cannot be, or from the beginning it says that one more wrong PIN locks it.
#ifndef TESTS_FAULT_STRANGE_CRYPTOKI_H_
#define TESTS_FAULT_STRANGE_CRYPTOKI_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "hsm/intercepting_cryptoki.h"
#include "tests/fault/trial.h"

namespace fault {

class StrangeCryptoki final : public hsm::InterceptingCryptoki {
 public:
  StrangeCryptoki(std::unique_ptr<hsm::CryptokiApi> inner, const Fault& fault)
      : InterceptingCryptoki(std::move(inner)), fault_(fault) {}

  CK_RV GetSlotList(CK_BBOOL token_present, CK_SLOT_ID* slots, CK_ULONG* count) override {
    const CK_RV rv = InterceptingCryptoki::GetSlotList(token_present, slots, count);
    return Garble(rv, *count);
  }
  CK_RV GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE* mechanisms, CK_ULONG* count) override {
    const CK_RV rv = InterceptingCryptoki::GetMechanismList(slot, mechanisms, count);
    return Garble(rv, *count);
  }
  CK_RV GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) override {
    const CK_RV rv = InterceptingCryptoki::GetTokenInfo(slot, info);
    if (fault_.how == How::kFinalTry) info->flags |= CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY;
    return rv;
  }
  CK_RV GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                          CK_ULONG count) override {
    CK_RV rv = InterceptingCryptoki::GetAttributeValue(session, object, attributes, count);
    for (CK_ULONG i = 0; i < count; ++i) rv = Garble(rv, attributes[i].ulValueLen);
    return rv;
  }
  CK_RV FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG capacity, CK_ULONG* count) override {
    const CK_RV rv = InterceptingCryptoki::FindObjects(session, objects, capacity, count);
    return Garble(rv, *count);
  }
  CK_RV Sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG data_size, CK_BYTE* signature,
             CK_ULONG* signature_size) override {
    const CK_RV rv = InterceptingCryptoki::Sign(session, data, data_size, signature, signature_size);
    return Garble(rv, *signature_size);
  }

 protected:
  CK_RV Around(hsm::Function, const hsm::InnerCall& call) override {
    ++calls_;
    return call();
  }

 private:
  CK_RV Garble(CK_RV rv, CK_ULONG& length) const {
    if (fault_.where == Where::kCall && fault_.how == How::kGarbage && calls_ == fault_.index + 1)
      length = CK_ULONG{1} << 40;
    return rv;
  }

  Fault fault_;
  std::uint64_t calls_ = 0;
};

}  // namespace fault

#endif  // TESTS_FAULT_STRANGE_CRYPTOKI_H_
