// The module, its slots, PINs, sessions and logins.
#include "tests/support/fake_token.h"

#include <algorithm>
#include <cstring>

#include "hsm/base/random.h"

namespace support {
namespace {

// Fixed-size text fields of PKCS#11 are padded with blanks, without NUL.
template <std::size_t kSize>
void Pad(CK_UTF8CHAR (&field)[kSize], std::string_view text) {
  std::memset(field, ' ', kSize);
  std::memcpy(field, text.data(), std::min(kSize, text.size()));
}

Bytes CopyOf(const CK_UTF8CHAR* bytes, CK_ULONG size) { return {bytes, bytes + size}; }

CK_FLAGS PinFlags(unsigned failures, unsigned tries, CK_FLAGS low, CK_FLAGS final_try, CK_FLAGS locked) {
  if (failures == 0 || tries == 0) return 0;
  if (failures >= tries) return locked;
  return low | (failures + 1 == tries ? final_try : 0);
}

}  // namespace

std::size_t FakeDevice::AddSlot(std::string serial) {
  FakeSlot slot;
  slot.id = 0x1000 + slots.size();
  slot.serial = std::move(serial);
  slot.mechanisms = FakeMechanisms();
  slots.push_back(std::move(slot));
  return slots.size() - 1;
}

std::size_t FakeDevice::AddToken(std::string serial, std::string label, std::string_view so_pin,
                                 std::string_view user_pin) {
  const std::size_t index = AddSlot(std::move(serial));
  FakeSlot& slot = slots[index];
  slot.initialised = true;
  slot.label = std::move(label);
  slot.so_pin = base::ToBytes(base::AsBytes(so_pin));
  slot.user_pin = base::ToBytes(base::AsBytes(user_pin));
  return index;
}

CK_RV FakeCryptoki::Initialize(void* arguments) {
  if (initialised_) return CKR_CRYPTOKI_ALREADY_INITIALIZED;
  if (arguments != nullptr) {
    const auto* given = static_cast<const CK_C_INITIALIZE_ARGS*>(arguments);
    if (given->pReserved != nullptr) return CKR_ARGUMENTS_BAD;
    const int callbacks = (given->CreateMutex != nullptr) + (given->DestroyMutex != nullptr) +
                          (given->LockMutex != nullptr) + (given->UnlockMutex != nullptr);
    if (callbacks != 0 && callbacks != 4) return CKR_ARGUMENTS_BAD;
  }
  initialised_ = true;
  ++device_->initialisations;
  if (device_->renumbers_slots) {
    for (std::size_t i = 0; i < device_->slots.size(); ++i) {
      device_->slots[i].id = (device_->slots[i].initialised ? 0x2000 : 0x1000) + i;
    }
  }
  return CKR_OK;
}

CK_RV FakeCryptoki::Finalize() {
  if (!initialised_) return CKR_CRYPTOKI_NOT_INITIALIZED;
  initialised_ = false;
  sessions_.clear();
  logins_.clear();
  session_objects_.clear();
  return CKR_OK;
}

CK_RV FakeCryptoki::GetInfo(CK_INFO* info) {
  if (!initialised_) return CKR_CRYPTOKI_NOT_INITIALIZED;
  if (info == nullptr) return CKR_ARGUMENTS_BAD;
  *info = {};
  info->cryptokiVersion = {2, 40};
  Pad(info->manufacturerID, device_->manufacturer);
  Pad(info->libraryDescription, device_->description);
  info->libraryVersion = {0, 9};
  return CKR_OK;
}

CK_RV FakeCryptoki::GetSlotList(CK_BBOOL token_present, CK_SLOT_ID* slots, CK_ULONG* count) {
  if (!initialised_) return CKR_CRYPTOKI_NOT_INITIALIZED;
  if (count == nullptr) return CKR_ARGUMENTS_BAD;
  if (slots == nullptr && device_->grows_free_slots &&
      std::ranges::all_of(device_->slots, [](const FakeSlot& slot) { return slot.initialised; })) {
    device_->AddSlot("fake-free-" + std::to_string(device_->slots.size()));
  }
  std::vector<CK_SLOT_ID> found;
  for (const FakeSlot& slot : device_->slots) {
    if (slot.habits.absurd_slot_count) {
      *count = CK_ULONG{1} << 40;
      return CKR_OK;
    }
    if (token_present == 0 || !slot.pulled) found.push_back(slot.id);
  }
  const CK_ULONG capacity = *count;
  *count = found.size();
  if (slots == nullptr) return CKR_OK;
  if (capacity < found.size()) return CKR_BUFFER_TOO_SMALL;
  std::ranges::copy(found, slots);
  return CKR_OK;
}

CK_RV FakeCryptoki::FindSlot(CK_SLOT_ID id, FakeSlot** found, bool token_needed) {
  if (!initialised_) return CKR_CRYPTOKI_NOT_INITIALIZED;
  const auto slot = std::ranges::find_if(device_->slots, [&](const FakeSlot& one) { return one.id == id; });
  if (slot == device_->slots.end()) return CKR_SLOT_ID_INVALID;
  if (token_needed && slot->pulled) return CKR_TOKEN_NOT_PRESENT;
  *found = &*slot;
  return CKR_OK;
}

CK_RV FakeCryptoki::GetSlotInfo(CK_SLOT_ID id, CK_SLOT_INFO* info) {
  FakeSlot* slot = nullptr;
  if (const CK_RV rv = FindSlot(id, &slot, false); rv != CKR_OK) return rv;
  if (info == nullptr) return CKR_ARGUMENTS_BAD;
  *info = {};
  Pad(info->slotDescription, "fake slot " + std::to_string(id));
  Pad(info->manufacturerID, slot->manufacturer);
  info->flags = CKF_HW_SLOT | CKF_REMOVABLE_DEVICE | (slot->pulled ? 0 : CKF_TOKEN_PRESENT);
  return CKR_OK;
}

CK_RV FakeCryptoki::GetTokenInfo(CK_SLOT_ID id, CK_TOKEN_INFO* info) {
  FakeSlot* slot = nullptr;
  if (const CK_RV rv = FindSlot(id, &slot, true); rv != CKR_OK) return rv;
  if (info == nullptr) return CKR_ARGUMENTS_BAD;
  *info = {};
  Pad(info->label, slot->initialised ? slot->label : std::string());
  Pad(info->manufacturerID, slot->manufacturer);
  Pad(info->model, slot->model);
  Pad(info->serialNumber,
      slot->initialised || !slot->habits.serial_only_when_initialised ? slot->serial : std::string());
  Pad(info->utcTime, "");
  const unsigned tries = slot->habits.pin_tries;
  info->flags = CKF_RNG | CKF_LOGIN_REQUIRED;
  if (slot->initialised) info->flags |= CKF_TOKEN_INITIALIZED;
  if (slot->user_pin) info->flags |= CKF_USER_PIN_INITIALIZED;
  if (slot->habits.protected_path) info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
  info->flags |=
      PinFlags(slot->user_failures, tries, CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED);
  info->flags |= PinFlags(slot->so_failures, tries, CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED);
  info->ulMaxSessionCount = CK_EFFECTIVELY_INFINITE;
  info->ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE;
  info->ulSessionCount = CK_UNAVAILABLE_INFORMATION;
  info->ulRwSessionCount = CK_UNAVAILABLE_INFORMATION;
  info->ulMinPinLen = slot->habits.pin_min;
  info->ulMaxPinLen = slot->habits.pin_max;
  info->ulTotalPublicMemory = CK_UNAVAILABLE_INFORMATION;
  info->ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION;
  info->ulTotalPrivateMemory = CK_UNAVAILABLE_INFORMATION;
  info->ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION;
  info->hardwareVersion = {1, 0};
  info->firmwareVersion = slot->firmware;
  return CKR_OK;
}

CK_RV FakeCryptoki::CheckPin(FakeSlot& slot, CK_USER_TYPE user, ByteView pin) {
  const bool is_user = user == CKU_USER;
  unsigned& failures = is_user ? slot.user_failures : slot.so_failures;
  const Bytes& expected = is_user ? *slot.user_pin : slot.so_pin;
  if (slot.habits.pin_tries != 0 && failures >= slot.habits.pin_tries) return CKR_PIN_LOCKED;
  if (!std::ranges::equal(expected, pin)) {
    ++failures;
    return failures == slot.habits.pin_tries ? CKR_PIN_LOCKED : CKR_PIN_INCORRECT;
  }
  failures = 0;
  return CKR_OK;
}

namespace {
// A PIN comes as an argument, or from the token's own keypad when it is null there.
CK_RV TakePin(const FakeSlot& slot, const CK_UTF8CHAR* pin, CK_ULONG size, Bytes* out) {
  if (pin == nullptr && slot.habits.protected_path) {
    *out = base::ToBytes(base::AsBytes(slot.pin_pad));
    return slot.pin_pad.empty() ? CKR_FUNCTION_CANCELED : CKR_OK;
  }
  if (pin == nullptr) return CKR_ARGUMENTS_BAD;
  *out = CopyOf(pin, size);
  return CKR_OK;
}
CK_RV CheckNewPin(const FakeSlot& slot, const Bytes& pin) {
  return pin.size() < slot.habits.pin_min || pin.size() > slot.habits.pin_max ? CKR_PIN_LEN_RANGE : CKR_OK;
}
}  // namespace

CK_RV FakeCryptoki::InitToken(CK_SLOT_ID id, CK_UTF8CHAR* pin, CK_ULONG pin_size, CK_UTF8CHAR* label) {
  FakeSlot* slot = nullptr;
  if (const CK_RV rv = FindSlot(id, &slot, true); rv != CKR_OK) return rv;
  if (label == nullptr) return CKR_ARGUMENTS_BAD;
  if (HasSessions(static_cast<std::size_t>(slot - device_->slots.data()), false)) return CKR_SESSION_EXISTS;
  Bytes given;
  if (const CK_RV rv = TakePin(*slot, pin, pin_size, &given); rv != CKR_OK) return rv;
  if (slot->initialised) {
    if (const CK_RV rv = CheckPin(*slot, CKU_SO, given); rv != CKR_OK) return rv;
  } else if (const CK_RV rv = CheckNewPin(*slot, given); rv != CKR_OK) {
    return rv;
  }
  if (std::memchr(label, 0, 32) != nullptr) return CKR_ARGUMENTS_BAD;
  slot->initialised = true;
  slot->label.assign(reinterpret_cast<const char*>(label), 32);
  slot->label.erase(slot->label.find_last_not_of(' ') + 1);
  slot->so_pin = given;
  slot->so_failures = 0;
  slot->user_pin.reset();
  slot->user_failures = 0;
  if (!slot->habits.init_token_keeps_objects) slot->objects.clear();
  return CKR_OK;
}

CK_RV FakeCryptoki::InitPin(CK_SESSION_HANDLE session, CK_UTF8CHAR* pin, CK_ULONG pin_size) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (login(place.session->slot) != LoginState::kSecurityOfficer) return CKR_USER_NOT_LOGGED_IN;
  Bytes given;
  if (const CK_RV rv = TakePin(*place.slot, pin, pin_size, &given); rv != CKR_OK) return rv;
  if (const CK_RV rv = CheckNewPin(*place.slot, given); rv != CKR_OK) return rv;
  place.slot->user_pin = given;
  place.slot->user_failures = 0;
  return CKR_OK;
}

CK_RV FakeCryptoki::SetPin(CK_SESSION_HANDLE session, CK_UTF8CHAR* old_pin, CK_ULONG old_size, CK_UTF8CHAR* new_pin,
                           CK_ULONG new_size) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (!place.session->read_write) return CKR_SESSION_READ_ONLY;
  const bool so = login(place.session->slot) == LoginState::kSecurityOfficer;
  if (!so && !place.slot->user_pin) return CKR_USER_PIN_NOT_INITIALIZED;
  Bytes old_given, new_given;
  if (const CK_RV rv = TakePin(*place.slot, old_pin, old_size, &old_given); rv != CKR_OK) return rv;
  if (const CK_RV rv = TakePin(*place.slot, new_pin, new_size, &new_given); rv != CKR_OK) return rv;
  if (const CK_RV rv = CheckNewPin(*place.slot, new_given); rv != CKR_OK) return rv;
  if (const CK_RV rv = CheckPin(*place.slot, so ? CKU_SO : CKU_USER, old_given); rv != CKR_OK) return rv;
  (so ? place.slot->so_pin : *place.slot->user_pin) = new_given;
  return CKR_OK;
}

bool FakeCryptoki::HasSessions(std::size_t slot, bool read_only_ones) const {
  return std::ranges::any_of(sessions_, [&](const auto& entry) {
    return entry.second.slot == slot && !(read_only_ones && entry.second.read_write);
  });
}

CK_RV FakeCryptoki::OpenSession(CK_SLOT_ID id, CK_FLAGS flags, CK_SESSION_HANDLE* session) {
  FakeSlot* slot = nullptr;
  if (const CK_RV rv = FindSlot(id, &slot, true); rv != CKR_OK) return rv;
  if (session == nullptr) return CKR_ARGUMENTS_BAD;
  if ((flags & CKF_SERIAL_SESSION) == 0) return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
  if (!slot->initialised) return CKR_TOKEN_NOT_RECOGNIZED;
  const std::size_t index = static_cast<std::size_t>(slot - device_->slots.data());
  const bool read_write = (flags & CKF_RW_SESSION) != 0;
  if (!read_write && login(index) == LoginState::kSecurityOfficer) return CKR_SESSION_READ_WRITE_SO_EXISTS;
  *session = next_session_++;
  Session opened;
  opened.slot = index;
  opened.read_write = read_write;
  sessions_.emplace(*session, std::move(opened));
  return CKR_OK;
}

CK_RV FakeCryptoki::FindSession(CK_SESSION_HANDLE handle, Place* place) {
  if (!initialised_) return CKR_CRYPTOKI_NOT_INITIALIZED;
  const auto session = sessions_.find(handle);
  if (session == sessions_.end()) return CKR_SESSION_HANDLE_INVALID;
  FakeSlot& slot = device_->slots[session->second.slot];
  if (slot.pulled) {
    // The token takes its sessions and its login with it.
    for (auto& [number, one] : sessions_) one.removed = one.removed || one.slot == session->second.slot;
    logins_[session->second.slot] = LoginState::kNobody;
    return CKR_DEVICE_REMOVED;
  }
  if (session->second.removed) return CKR_SESSION_HANDLE_INVALID;
  *place = {&session->second, &slot};
  return CKR_OK;
}

CK_RV FakeCryptoki::CloseSession(CK_SESSION_HANDLE handle) {
  if (!initialised_) return CKR_CRYPTOKI_NOT_INITIALIZED;
  const auto session = sessions_.find(handle);
  if (session == sessions_.end()) return CKR_SESSION_HANDLE_INVALID;
  const std::size_t slot = session->second.slot;
  const bool removed = session->second.removed || device_->slots[slot].pulled;
  sessions_.erase(session);
  std::erase_if(session_objects_, [&](const auto& entry) { return entry.second.second.owner_session == handle; });
  if (!HasSessions(slot, false)) login(slot) = LoginState::kNobody;
  return removed ? (device_->slots[slot].pulled ? CKR_DEVICE_REMOVED : CKR_SESSION_HANDLE_INVALID) : CKR_OK;
}

CK_RV FakeCryptoki::GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO* info) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (info == nullptr) return CKR_ARGUMENTS_BAD;
  *info = {};
  info->slotID = place.slot->id;
  info->flags = CKF_SERIAL_SESSION | (place.session->read_write ? CKF_RW_SESSION : 0);
  switch (login(place.session->slot)) {
    case LoginState::kNobody:
      info->state = place.session->read_write ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
      break;
    case LoginState::kUser:
      info->state = place.session->read_write ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
      break;
    case LoginState::kSecurityOfficer:
      info->state = CKS_RW_SO_FUNCTIONS;
      break;
  }
  return CKR_OK;
}

CK_RV FakeCryptoki::Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG pin_size) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (user == CKU_CONTEXT_SPECIFIC) {
    if (!place.session->sign || login(place.session->slot) != LoginState::kUser) return CKR_OPERATION_NOT_INITIALIZED;
    Bytes again;
    if (const CK_RV rv = TakePin(*place.slot, pin, pin_size, &again); rv != CKR_OK) return rv;
    if (const CK_RV rv = CheckPin(*place.slot, CKU_USER, again); rv != CKR_OK) return rv;
    place.session->authenticated = true;
    return CKR_OK;
  }
  if (user != CKU_USER && user != CKU_SO) return CKR_USER_TYPE_INVALID;
  LoginState& state = login(place.session->slot);
  const LoginState wanted = user == CKU_USER ? LoginState::kUser : LoginState::kSecurityOfficer;
  if (state == wanted) return CKR_USER_ALREADY_LOGGED_IN;
  if (state != LoginState::kNobody) return CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
  if (user == CKU_SO && HasSessions(place.session->slot, true)) return CKR_SESSION_READ_ONLY_EXISTS;
  if (user == CKU_USER && !place.slot->user_pin) return CKR_USER_PIN_NOT_INITIALIZED;
  Bytes given;
  if (const CK_RV rv = TakePin(*place.slot, pin, pin_size, &given); rv != CKR_OK) return rv;
  if (const CK_RV rv = CheckPin(*place.slot, user, given); rv != CKR_OK) return rv;
  state = wanted;
  return CKR_OK;
}

CK_RV FakeCryptoki::Logout(CK_SESSION_HANDLE session) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  LoginState& state = login(place.session->slot);
  if (state == LoginState::kNobody) return CKR_USER_NOT_LOGGED_IN;
  state = LoginState::kNobody;
  // Private session objects and operations with private keys end with the login.
  std::erase_if(session_objects_, [&](const auto& entry) {
    const Attributes& attributes = entry.second.second.attributes;
    return entry.second.first == place.session->slot && attributes.at(CKA_PRIVATE) == Bytes{1};
  });
  for (auto& [handle, one] : sessions_) {
    if (one.slot != place.session->slot) continue;
    one.search.reset();
    one.sign.reset();
  }
  return CKR_OK;
}

CK_RV FakeCryptoki::GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG size) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (out == nullptr) return CKR_ARGUMENTS_BAD;
  if (place.slot->habits.constant_random) {
    std::memset(out, 0x42, size);
  } else {
    base::FillRandom({out, size});
  }
  return CKR_OK;
}

}  // namespace support
