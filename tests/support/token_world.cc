#include "tests/support/token_world.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace support {
namespace {

void Must(CK_RV rv, const char* what) {
  if (rv == CKR_OK) return;
  std::fprintf(stderr, "cannot set the token up: %s returned 0x%lx\n", what, rv);
  std::abort();
}

template <typename T>
T Must(base::Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "cannot use the token: %s\n", result.error().message.c_str());
    std::abort();
  }
  return std::move(result).value();
}

CK_UTF8CHAR* Text(std::string& text) { return reinterpret_cast<CK_UTF8CHAR*>(text.data()); }

}  // namespace

InitArguments::InitArguments(const hsm::ModuleOptions& options) : text_(options.init_args) {
  plain_.flags = CKF_OS_LOCKING_OK;
  plain_.pReserved = text_.empty() ? nullptr : text_.data();
}

std::shared_ptr<hsm::Module> TokenWorld::LoadModule(std::shared_ptr<hsm::CallObserver> observer) {
  return Must(hsm::Module::Wrap(LoadApi(), options_, std::move(observer)));
}

std::shared_ptr<hsm::Token> TokenWorld::FindToken(const std::shared_ptr<hsm::Module>& module) const {
  return Must(hsm::Token::Locate(module, token_label_, ""));
}

hsm::LoginScope TokenWorld::Login(const std::shared_ptr<hsm::Token>& token) const {
  return Must(hsm::LoginScope::Open(token, hsm::User::kUser, base::SecretBytes::CopyOf(base::AsBytes(user_pin_))));
}

std::unique_ptr<TokenWorld> NewWorldOf(std::string_view name) {
  if (name == "fake") return NewFakeWorld();
  if (name == "softhsm") return NewSoftHsmWorld();
  if (name == "nss") return NewNssWorld();
  if (name == "p11-kit") return NewP11KitWorld();
  return nullptr;
}

void TokenWorld::SetEnvironment() const {
  for (const auto& [name, value] : options_.environment) setenv(name.c_str(), value.c_str(), 1);
}

void TokenWorld::MakeToken() {
  SetEnvironment();
  const std::unique_ptr<hsm::CryptokiApi> api = LoadApi();
  InitArguments arguments(options_);
  Must(api->Initialize(arguments.get()), "C_Initialize");
  CK_ULONG count = 0;
  Must(api->GetSlotList(1, nullptr, &count), "C_GetSlotList");
  std::vector<CK_SLOT_ID> slots(count);
  Must(api->GetSlotList(1, slots.data(), &count), "C_GetSlotList");
  CK_SLOT_ID free_slot = 0;
  bool found = false;
  for (const CK_SLOT_ID slot : slots) {
    CK_TOKEN_INFO info;
    Must(api->GetTokenInfo(slot, &info), "C_GetTokenInfo");
    if ((info.flags & CKF_TOKEN_INITIALIZED) != 0) continue;
    free_slot = slot;
    found = true;
  }
  if (!found) Must(CKR_SLOT_ID_INVALID, "the search for a free slot");
  std::string label = token_label_;
  label.resize(32, ' ');
  Must(api->InitToken(free_slot, Text(so_pin_), so_pin_.size(), Text(label)), "C_InitToken");
  // The slot's number may change with it, so that the token is looked for by its label.
  Must(api->Finalize(), "C_Finalize");
  Must(api->Initialize(arguments.get()), "C_Initialize");
  const CK_SLOT_ID slot = FindTokenSlot(*api);
  CK_SESSION_HANDLE session = 0;
  Must(api->OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, &session), "C_OpenSession");
  Must(api->Login(session, CKU_SO, Text(so_pin_), so_pin_.size()), "C_Login");
  Must(api->InitPin(session, Text(user_pin_), user_pin_.size()), "C_InitPIN");
  Must(api->Logout(session), "C_Logout");
  Must(api->CloseSession(session), "C_CloseSession");
  Must(api->Finalize(), "C_Finalize");
}

CK_SLOT_ID TokenWorld::FindTokenSlot(hsm::CryptokiApi& api) const {
  CK_ULONG count = 0;
  Must(api.GetSlotList(1, nullptr, &count), "C_GetSlotList");
  std::vector<CK_SLOT_ID> slots(count);
  Must(api.GetSlotList(1, slots.data(), &count), "C_GetSlotList");
  for (const CK_SLOT_ID slot : slots) {
    CK_TOKEN_INFO info;
    if (api.GetTokenInfo(slot, &info) != CKR_OK) continue;
    std::string label(reinterpret_cast<const char*>(info.label), sizeof info.label);
    label.erase(label.find_last_not_of(' ') + 1);
    if (label == token_label_) return slot;
  }
  Must(CKR_TOKEN_NOT_PRESENT, "the search for the token");
  return 0;
}

}  // namespace support
