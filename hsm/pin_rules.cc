#include "hsm/pin_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "hsm/base/counted.h"

namespace hsm {
namespace {

constexpr PinFlags kPinFlags[] = {
    {User::kUser, "user", CKU_USER, CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED,
     "the security officer must set a new user PIN"},
    {User::kSecurityOfficer, "security officer", CKU_SO, CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED,
     "the token can only be initialised again, which wipes it"},
};

}  // namespace

const PinFlags& FlagsOf(User user) { return kPinFlags[static_cast<std::size_t>(user)]; }

Result<void> CheckPinTries(const TokenInfo& info, User user) {
  const PinFlags& who = FlagsOf(user);
  if ((info.flags & who.locked) != 0) {
    return base::Refusal("TOKEN-LOGIN-01", fmt::format("the {} PIN of {} is locked", who.name, info.Name()),
                         who.when_locked);
  }
  if ((info.flags & who.final_try) != 0) {
    return base::Refusal("TOKEN-LOGIN-02", fmt::format("one more wrong {} PIN would lock {}", who.name, info.Name()),
                         "find out why PINs were wrong, then clear the counter outside a ceremony");
  }
  return {};
}

std::string PinSizes::InWords() const {
  return most == CK_UNAVAILABLE_INFORMATION ? fmt::format("{} or more", least) : fmt::format("{} to {}", least, most);
}

PinSizes PinSizesOf(const TokenInfo& info, const Quirks& quirks) {
  PinSizes sizes;
  // Some modules give no limits at all (0, or more than any PIN).
  if (info.pin_min != CK_UNAVAILABLE_INFORMATION) sizes.least = info.pin_min;
  if (info.pin_max != 0) sizes.most = info.pin_max;
  sizes.least = std::max(sizes.least, quirks.pin_min);
  if (quirks.pin_max != 0) sizes.most = std::min(sizes.most, quirks.pin_max);
  return sizes;
}

CK_UTF8CHAR* PinPointer(const base::SecretBytes& pin) {
  return pin.empty() ? nullptr : const_cast<CK_UTF8CHAR*>(pin.view().data());
}

Result<void> CheckPinPad(const TokenInfo& info, const base::SecretBytes& pin, const std::string& rule) {
  if (!pin.empty() || info.protected_path()) return {};
  return base::Refusal(rule, info.Name() + " has no PIN pad, and no PIN was given");
}

Result<void> CheckPinSize(const TokenInfo& info, const Quirks& quirks, const base::SecretBytes& pin,
                          const std::string& rule) {
  if (pin.empty()) return {};
  const PinSizes sizes = PinSizesOf(info, quirks);
  if (pin.size() >= sizes.least && pin.size() <= sizes.most) return {};
  return base::Refusal(rule, fmt::format("the PIN has {}, {} takes {}", base::Counted(pin.size(), "octet", "octets"),
                                         info.Name(), sizes.InWords()));
}

}  // namespace hsm
