#include "hsm/token.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "hsm/base/encoding.h"
#include "hsm/consequential.h"
#include "hsm/describe.h"
#include "hsm/login.h"
#include "hsm/session.h"

namespace hsm {
namespace {

constexpr CK_ULONG kMaxMechanisms = 65536;
constexpr int kGrowths = 3;  // how often a list may have grown since its size was asked
constexpr std::size_t kLabelSize = 32;

std::string Listed(const std::vector<TokenInfo>& tokens) {
  std::string list;
  for (const TokenInfo& token : tokens) list += (list.empty() ? "" : ", ") + token.Name();
  return list.empty() ? "no token at all" : list;
}

CK_UTF8CHAR* PinPointer(const base::SecretBytes& pin) {
  return pin.empty() ? nullptr : const_cast<CK_UTF8CHAR*>(pin.view().data());
}

Result<void> CheckPinPad(const TokenInfo& info, const base::SecretBytes& pin, const std::string& rule) {
  if (!pin.empty() || info.protected_path()) return {};
  return base::Refusal(rule, info.Name() + " has no PIN pad, and no PIN was given");
}

Result<void> CheckPinSizeOf(const TokenInfo& info, const Quirks& quirks, const base::SecretBytes& pin,
                            const std::string& rule) {
  if (pin.empty()) return {};
  const PinSizes sizes = PinSizesOf(info, quirks);
  if (pin.size() >= sizes.least && pin.size() <= sizes.most) return {};
  return base::Refusal(rule,
                       fmt::format("the PIN has {} octets, {} takes {}", pin.size(), info.Name(), sizes.InWords()));
}

// Which tokens were there before, so that a new one is told from its namesakes.
std::set<std::string> SerialsOf(const std::vector<TokenInfo>& tokens, const std::string& label, CK_SLOT_ID except) {
  std::set<std::string> serials;
  for (const TokenInfo& token : tokens) {
    if (token.initialised() && token.label == label && token.slot != except) serials.insert(token.serial);
  }
  return serials;
}

}  // namespace

Result<std::shared_ptr<Token>> Token::Locate(std::shared_ptr<Module> module, const std::string& label,
                                             const std::string& serial) {
  if (label.empty() && serial.empty()) {
    return base::MakeError(ErrorCode::kInvalidInput, "a token is named by label and serial number, both are empty");
  }
  KC_ASSIGN_OR_RETURN(const std::vector<TokenInfo> tokens, module->ListTokens());
  std::vector<TokenInfo> found;
  std::ranges::copy_if(tokens, std::back_inserter(found), [&](const TokenInfo& token) {
    return token.initialised() && (label.empty() || token.label == label) && (serial.empty() || token.serial == serial);
  });
  const std::string wanted = fmt::format("token with label \"{}\" and serial \"{}\"", label.empty() ? "(any)" : label,
                                         serial.empty() ? "(any)" : serial);
  if (found.empty()) {
    return base::MakeError(ErrorCode::kNotFound, fmt::format("module {} has no {}", module->info().path, wanted))
        .WithHint("it has " + Listed(tokens));
  }
  if (found.size() > 1) {
    return base::MakeError(ErrorCode::kAmbiguous, fmt::format("module {} has {} tokens for one {}: {}",
                                                              module->info().path, found.size(), wanted, Listed(found)))
        .WithHint("name the token by its serial number too");
  }
  return std::make_shared<Token>(std::move(module), std::move(found.front()));
}

Result<std::shared_ptr<Token>> Token::Initialise(std::shared_ptr<Module> module, CK_SLOT_ID slot,
                                                 const std::string& label, const base::SecretBytes& so_pin,
                                                 Retire retire) {
  if (label.empty() || label.size() > kLabelSize) {
    return base::MakeError(ErrorCode::kInvalidInput, fmt::format("token label \"{}\" has {} bytes, 1 to {} fit", label,
                                                                 label.size(), kLabelSize));
  }
  // The module pads a label with blanks, and a text that is not plain is shown in hex (Module::ReadToken).
  if (label.ends_with(' ') || DescribeValue(CKA_LABEL, base::AsBytes(label)) != label) {
    return base::MakeError(ErrorCode::kInvalidInput, fmt::format("token label {} would not be found again by its name",
                                                                 DescribeValue(CKA_LABEL, base::AsBytes(label)) == label
                                                                     ? "\"" + label + "\""
                                                                     : base::HexEncode(base::AsBytes(label))))
        .WithHint("a label is text without control characters, and does not end in a blank");
  }
  KC_ASSIGN_OR_RETURN(const std::vector<TokenInfo> tokens, module->ListTokens());
  const auto target = std::ranges::find(tokens, slot, &TokenInfo::slot);
  if (target == tokens.end()) {
    return base::MakeError(ErrorCode::kNotFound,
                           fmt::format("module {} has no token in slot {}", module->info().path, slot))
        .WithHint("it has " + Listed(tokens));
  }
  if (target->initialised() && retire != Retire::kYes) {
    return base::Refusal("TOKEN-INIT-01", fmt::format("slot {} holds {}, which would be wiped", slot, target->Name()),
                         "only a step that retires this token may do that");
  }
  KC_RETURN_IF_ERROR(CheckPinPad(*target, so_pin, "TOKEN-INIT-03"));
  if (target->initialised()) KC_RETURN_IF_ERROR(CheckPinTries(*target, User::kSecurityOfficer));
  KC_RETURN_IF_ERROR(CheckPinSizeOf(*target, module->quirks(), so_pin, "TOKEN-INIT-02"));

  const std::set<std::string> namesakes = SerialsOf(tokens, label, slot);
  ConsequentialCall call;
  call.number = module->observer().NextCallNumber();
  call.function = Function::kInitToken;
  call.token_label = label;
  call.token_serial = target->serial;
  call.object = target->Name();
  return Perform<std::shared_ptr<Token>>(
      module->observer(), call, [&](CallOutcome& outcome) -> Result<std::shared_ptr<Token>> {
        CK_UTF8CHAR padded[kLabelSize];
        std::ranges::fill(padded, ' ');
        std::ranges::copy(label, padded);
        TimedCall(outcome, [&] { return module->api().InitToken(slot, PinPointer(so_pin), so_pin.size(), padded); });
        const std::string doing = fmt::format("initialising slot {} as token \"{}\"", slot, label);
        if (outcome.rv != CKR_OK) return CallError(Function::kInitToken, outcome.rv, doing);

        // The slot id may have changed, and a serial number may have come only now.
        KC_ASSIGN_OR_RETURN(std::vector<TokenInfo> after, module->ListTokens());
        std::erase_if(after, [&](const TokenInfo& token) {
          return !token.initialised() || token.label != label || namesakes.contains(token.serial);
        });
        if (after.size() != 1) {
          return base::MakeError(
              after.empty() ? ErrorCode::kNotFound : ErrorCode::kAmbiguous,
              fmt::format("{}: C_InitToken said CKR_OK, and {} new tokens have that label", doing, after.size()));
        }
        const TokenInfo& made = after.front();
        outcome.attributes = {{"label", made.label},
                              {"serial", made.serial},
                              {"manufacturer", made.manufacturer},
                              {"model", made.model},
                              {"firmware", made.firmware_version}};
        return std::make_shared<Token>(module, made);
      });
}

Result<void> Token::Refresh() {
  KC_ASSIGN_OR_RETURN(TokenInfo info, module_->ReadToken(info_.slot));
  if (info.label != info_.label || info.serial != info_.serial) {
    return base::MakeError(ErrorCode::kToken,
                           fmt::format("slot {} holds {} now, {} was there", info_.slot, info.Name(), info_.Name()))
        .WithHint("put the token back, or locate it again");
  }
  info_ = std::move(info);
  return {};
}

Result<std::vector<CK_MECHANISM_TYPE>> Token::Mechanisms() {
  if (mechanisms_read_) return mechanisms_;
  const std::string doing = "listing the mechanisms of " + Name();
  std::vector<CK_MECHANISM_TYPE> list;
  // The list may grow between asking for its size and for its contents.
  for (int attempt = 0;; ++attempt) {
    CK_ULONG count = 0;
    CK_RV rv = module_->api().GetMechanismList(slot(), nullptr, &count);
    if (rv != CKR_OK) return CallError(Function::kGetMechanismList, rv, doing);
    if (count > kMaxMechanisms) return NonsenseError(Function::kGetMechanismList, fmt::format("{} mechanisms", count));
    list.resize(count);
    if (count == 0) break;
    rv = module_->api().GetMechanismList(slot(), list.data(), &count);
    if (rv == CKR_BUFFER_TOO_SMALL && attempt < kGrowths) continue;
    if (rv != CKR_OK) return CallError(Function::kGetMechanismList, rv, doing);
    if (count > list.size()) {
      return NonsenseError(Function::kGetMechanismList,
                           fmt::format("{} mechanisms in a list for {}", count, list.size()));
    }
    list.resize(count);
    break;
  }
  std::ranges::sort(list);
  mechanisms_ = std::move(list);
  mechanisms_read_ = true;
  return mechanisms_;
}

Result<bool> Token::HasMechanism(CK_MECHANISM_TYPE mechanism) {
  if (!mechanisms_read_) KC_RETURN_IF_ERROR(Mechanisms());
  return std::ranges::binary_search(mechanisms_, mechanism);
}

Result<CK_MECHANISM_INFO> Token::GetMechanism(CK_MECHANISM_TYPE mechanism) {
  CK_MECHANISM_INFO info{};
  const CK_RV rv = module_->api().GetMechanismInfo(slot(), mechanism, &info);
  if (rv != CKR_OK) {
    return CallError(Function::kGetMechanismInfo, rv,
                     fmt::format("asking {} for {}", Name(), MechanismName(mechanism)));
  }
  return info;
}

Result<bool> Token::Can(CK_MECHANISM_TYPE mechanism, CK_FLAGS flags) {
  KC_ASSIGN_OR_RETURN(const bool listed, HasMechanism(mechanism));
  if (!listed) return false;
  KC_ASSIGN_OR_RETURN(const CK_MECHANISM_INFO info, GetMechanism(mechanism));
  return (info.flags & flags) == flags;
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

Result<void> CheckPinSize(const Token& token, const base::SecretBytes& pin, const std::string& rule) {
  return CheckPinSizeOf(token.info(), token.quirks(), pin, rule);
}

Result<void> InitPin(Session& so_session, const base::SecretBytes& pin) {
  const Token& token = so_session.token();
  KC_RETURN_IF_ERROR(CheckPinPad(token.info(), pin, "TOKEN-INIT-03"));
  KC_RETURN_IF_ERROR(CheckPinSize(token, pin, "TOKEN-INIT-02"));
  ConsequentialCall call = PlanCall(so_session, Function::kInitPin);
  call.object = "user PIN";
  return Perform<void>(token.module().observer(), call, [&](CallOutcome& outcome) -> Result<void> {
    TimedCall(outcome, [&] { return so_session.api().InitPin(so_session.handle(), PinPointer(pin), pin.size()); });
    if (outcome.rv != CKR_OK)
      return CallError(Function::kInitPin, outcome.rv, "setting the user PIN of " + token.Name());
    return {};
  });
}

Result<void> SetPin(Session& session, const base::SecretBytes& old_pin, const base::SecretBytes& new_pin) {
  Token& token = session.token();
  KC_ASSIGN_OR_RETURN(const CK_STATE state, session.State());
  const bool officer = state == CKS_RW_SO_FUNCTIONS;
  if (old_pin.empty() != new_pin.empty()) {
    return base::MakeError(ErrorCode::kInvalidInput, "either both PINs are typed on the PIN pad or none is");
  }
  KC_RETURN_IF_ERROR(CheckPinPad(token.info(), old_pin, "TOKEN-LOGIN-04"));
  KC_RETURN_IF_ERROR(CheckPinSize(token, old_pin, "TOKEN-LOGIN-03"));
  KC_RETURN_IF_ERROR(CheckPinSize(token, new_pin, "TOKEN-INIT-02"));
  KC_RETURN_IF_ERROR(token.Refresh());
  KC_RETURN_IF_ERROR(CheckPinTries(token.info(), officer ? User::kSecurityOfficer : User::kUser));
  ConsequentialCall call = PlanCall(session, Function::kSetPin);
  call.object = officer ? "security officer PIN" : "user PIN";
  return Perform<void>(token.module().observer(), call, [&](CallOutcome& outcome) -> Result<void> {
    TimedCall(outcome, [&] {
      return session.api().SetPin(session.handle(), PinPointer(old_pin), old_pin.size(), PinPointer(new_pin),
                                  new_pin.size());
    });
    if (outcome.rv != CKR_OK) {
      return CallError(Function::kSetPin, outcome.rv, fmt::format("changing the {} of {}", call.object, token.Name()));
    }
    return {};
  });
}

}  // namespace hsm
