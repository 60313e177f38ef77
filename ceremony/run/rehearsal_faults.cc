#include "ceremony/run/rehearsal_faults.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

#include "hsm/describe.h"
#include "hsm/intercepting_cryptoki.h"
#include "hsm/real_cryptoki.h"

namespace ceremony::run {
namespace {

constexpr std::array kAnswers = {
    CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_VALUE_INVALID, CKR_MECHANISM_INVALID, CKR_DEVICE_MEMORY, CKR_DEVICE_ERROR,
    CKR_TOKEN_WRITE_PROTECTED, CKR_FUNCTION_NOT_SUPPORTED,  CKR_SESSION_READ_ONLY, CKR_PIN_INCORRECT};

// The fault file's table takes no other word.
CK_RV AnswerOf(const std::string& word) {
  const auto found = std::ranges::find_if(kAnswers, [&](CK_RV rv) { return hsm::RvName(rv) == word; });
  return found == kAnswers.end() ? CK_RV{CKR_DEVICE_ERROR} : *found;
}

std::string LabelIn(const CK_TOKEN_INFO& info) {
  const auto* const text = reinterpret_cast<const char*>(info.label);
  std::string label(text, sizeof info.label);
  label.erase(label.find_last_not_of(' ') + 1);
  return label;
}

// FaultyTokens knows whose session each call is in.
class FaultyTokens final : public hsm::InterceptingCryptoki {
 public:
  FaultyTokens(std::unique_ptr<hsm::CryptokiApi> inner, FaultDirector& director)
      : InterceptingCryptoki(std::move(inner)), director_(director) {}

  CK_RV OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, CK_SESSION_HANDLE* session) override {
    label_ = LabelOf(slot);
    const CK_RV rv = InterceptingCryptoki::OpenSession(slot, flags, session);
    if (rv == CKR_OK) labels_[*session] = label_;
    label_.clear();
    return rv;
  }
  CK_RV GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) override {
    label_ = LabelOf(slot);
    const CK_RV rv = InterceptingCryptoki::GetTokenInfo(slot, info);
    if (rv == CKR_OK && director_.IsPinLocked(label_)) info->flags |= CKF_USER_PIN_LOCKED;
    label_.clear();
    return rv;
  }
  CK_RV InitToken(CK_SLOT_ID slot, CK_UTF8CHAR* pin, CK_ULONG pin_size, CK_UTF8CHAR* label) override {
    label_.assign(reinterpret_cast<const char*>(label), sizeof CK_TOKEN_INFO::label);
    label_.erase(label_.find_last_not_of(' ') + 1);
    const CK_RV rv = InterceptingCryptoki::InitToken(slot, pin, pin_size, label);
    label_.clear();
    return rv;
  }
  CK_RV InitPin(CK_SESSION_HANDLE session, CK_UTF8CHAR* pin, CK_ULONG pin_size) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::InitPin(session, pin, pin_size);
  }
  CK_RV SetPin(CK_SESSION_HANDLE session, CK_UTF8CHAR* old_pin, CK_ULONG old_size, CK_UTF8CHAR* new_pin,
               CK_ULONG new_size) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::SetPin(session, old_pin, old_size, new_pin, new_size);
  }
  CK_RV GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO* info) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::GetSessionInfo(session, info);
  }
  CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG pin_size) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::Login(session, user, pin, pin_size);
  }
  CK_RV Logout(CK_SESSION_HANDLE session) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::Logout(session);
  }
  CK_RV CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count,
                     CK_OBJECT_HANDLE* object) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::CreateObject(session, attributes, count, object);
  }
  CK_RV DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::DestroyObject(session, object);
  }
  CK_RV GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                          CK_ULONG count) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::GetAttributeValue(session, object, attributes, count);
  }
  CK_RV SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                          CK_ULONG count) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::SetAttributeValue(session, object, attributes, count);
  }
  CK_RV FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::FindObjectsInit(session, attributes, count);
  }
  CK_RV FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG capacity, CK_ULONG* count) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::FindObjects(session, objects, capacity, count);
  }
  CK_RV FindObjectsFinal(CK_SESSION_HANDLE session) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::FindObjectsFinal(session);
  }
  CK_RV SignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::SignInit(session, mechanism, key);
  }
  CK_RV Sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG data_size, CK_BYTE* signature,
             CK_ULONG* signature_size) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::Sign(session, data, data_size, signature, signature_size);
  }
  CK_RV GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* attributes, CK_ULONG count,
                    CK_OBJECT_HANDLE* key) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::GenerateKey(session, mechanism, attributes, count, key);
  }
  CK_RV GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* public_attributes,
                        CK_ULONG public_count, CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                        CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::GenerateKeyPair(session, mechanism, public_attributes, public_count,
                                                 private_attributes, private_count, public_key, private_key);
  }
  CK_RV WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key,
                CK_BYTE* wrapped, CK_ULONG* wrapped_size) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::WrapKey(session, mechanism, wrapping_key, key, wrapped, wrapped_size);
  }
  CK_RV UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE unwrapping_key, CK_BYTE* wrapped,
                  CK_ULONG wrapped_size, CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::UnwrapKey(session, mechanism, unwrapping_key, wrapped, wrapped_size, attributes, count,
                                           key);
  }
  CK_RV DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE base_key,
                  CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::DeriveKey(session, mechanism, base_key, attributes, count, key);
  }
  CK_RV GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG size) override {
    const Scope scope(*this, session);
    return InterceptingCryptoki::GenerateRandom(session, out, size);
  }

 protected:
  CK_RV Around(hsm::Function function, const hsm::InnerCall& call) override {
    if (label_.empty()) return call();
    const std::optional<CK_RV> met = director_.Meets(function, label_);
    return met ? *met : call();
  }

 private:
  class Scope final {
   public:
    Scope(FaultyTokens& tokens, CK_SESSION_HANDLE session) : tokens_(tokens) {
      const auto known = tokens.labels_.find(session);
      if (known != tokens.labels_.end()) tokens.label_ = known->second;
    }
    ~Scope() { tokens_.label_.clear(); }
    Scope(const Scope&) = delete;  // one call has one
    Scope& operator=(const Scope&) = delete;

   private:
    FaultyTokens& tokens_;
  };

  std::string LabelOf(CK_SLOT_ID slot) {
    CK_TOKEN_INFO info{};
    return inner().GetTokenInfo(slot, &info) == CKR_OK ? LabelIn(info) : std::string();
  }

  FaultDirector& director_;
  std::string label_;  // of the token that is called now; empty: none in particular
  std::map<CK_SESSION_HANDLE, std::string> labels_;
};

}  // namespace

FaultDirector::FaultDirector(script::FaultFile faults, const script::Binding& binding) : faults_(std::move(faults)) {
  for (const script::TokenBinding& token : binding.tokens) labels_[token.name] = token.label;
}

void FaultDirector::BeginStep(const std::string& step) {
  step_ = step;
  ++tries_[step];
  calls_.clear();
}

bool FaultDirector::IsOn(const script::RehearsedFault& fault, const std::string& label) const {
  const auto known = labels_.find(fault.token);
  const auto tries = tries_.find(step_);
  return fault.step == step_ && known != labels_.end() && known->second == label && tries != tries_.end() &&
         tries->second <= fault.attempts;
}

bool FaultDirector::IsPinLocked(const std::string& label) const {
  return std::ranges::any_of(faults_.faults, [&](const script::RehearsedFault& fault) {
    return fault.kind == script::FaultKind::kPinLocked && IsOn(fault, label);
  });
}

std::optional<CK_RV> FaultDirector::Meets(hsm::Function function, const std::string& label) {
  const std::int64_t call = ++calls_[label];
  for (const script::RehearsedFault& fault : faults_.faults) {
    if (!IsOn(fault, label)) continue;
    switch (fault.kind) {
      case script::FaultKind::kPulled:
        if (call > fault.after) return CKR_DEVICE_REMOVED;
        break;
      case script::FaultKind::kSlow:
        std::this_thread::sleep_for(std::chrono::milliseconds(fault.milliseconds));
        break;
      case script::FaultKind::kRefuses:
        if (hsm::FunctionName(function) == fault.function) return AnswerOf(fault.answer);
        break;
      case script::FaultKind::kPinLocked:
        if (function == hsm::Function::kLogin) return CKR_PIN_LOCKED;
        break;
    }
  }
  return std::nullopt;
}

base::Result<std::shared_ptr<hsm::Module>> LoadFaulty(FaultDirector& director, const hsm::ModuleOptions& options,
                                                      std::shared_ptr<hsm::CallObserver> observer) {
  KC_ASSIGN_OR_RETURN(std::unique_ptr<hsm::CryptokiApi> real, hsm::RealCryptoki::Load(options.path));
  return hsm::Module::Wrap(std::make_unique<FaultyTokens>(std::move(real), director), options, std::move(observer));
}

}  // namespace ceremony::run
