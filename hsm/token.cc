#include "hsm/token.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "hsm/consequential.h"
#include "hsm/describe.h"
#include "hsm/growing_list.h"
#include "hsm/pin_rules.h"

namespace hsm {
namespace {

constexpr std::size_t kLabelSize = 32;

std::string Listed(const std::vector<TokenInfo>& tokens) {
  std::string list;
  for (const TokenInfo& token : tokens) list += (list.empty() ? "" : ", ") + token.Name();
  return list.empty() ? "no token at all" : list;
}

// Which tokens were there before, so that a new one is told from its namesakes.
std::set<std::string> SerialsOf(const std::vector<TokenInfo>& tokens, const std::string& label, CK_SLOT_ID except) {
  std::set<std::string> serials;
  for (const TokenInfo& token : tokens) {
    if (token.initialised() && token.label == label && token.slot != except) serials.insert(token.serial);
  }
  return serials;
}

Result<void> CheckLabel(const std::string& label) {
  if (label.empty() || label.size() > kLabelSize) {
    return base::MakeError(ErrorCode::kInvalidInput, fmt::format("token label \"{}\" has {} bytes, 1 to {} fit", label,
                                                                 label.size(), kLabelSize));
  }
  // The module pads a label with blanks, and a text that is not plain is shown in hex (Module::ReadToken).
  const std::string shown = DescribeValue(CKA_LABEL, base::AsBytes(label));
  if (label.ends_with(' ') || shown != label) {
    return base::MakeError(ErrorCode::kInvalidInput,
                           fmt::format("token label \"{}\" would not be found again by its name", shown))
        .WithHint("a label is text without control characters, and does not end in a blank");
  }
  return {};
}

// The token that is to be initialised.
Result<TokenInfo> FindTarget(const Module& module, const std::vector<TokenInfo>& tokens, CK_SLOT_ID slot,
                             Retire retire) {
  const auto target = std::ranges::find(tokens, slot, &TokenInfo::slot);
  if (target == tokens.end()) {
    return base::MakeError(ErrorCode::kNotFound,
                           fmt::format("module {} has no token in slot {}", module.info().path, slot))
        .WithHint("it has " + Listed(tokens));
  }
  if (target->initialised() && retire != Retire::kYes) {
    return base::Refusal("TOKEN-INIT-01", fmt::format("slot {} holds {}, which would be wiped", slot, target->Name()),
                         "only a step that retires this token may do that");
  }
  return *target;
}

// The token that C_InitToken made.
Result<TokenInfo> FindNewToken(Module& module, const std::string& label, const std::set<std::string>& namesakes,
                               const std::string& doing) {
  // The slot id may have changed, and a serial number may have come only now.
  KC_ASSIGN_OR_RETURN(std::vector<TokenInfo> after, module.ListTokens());
  std::erase_if(after, [&](const TokenInfo& token) {
    return !token.initialised() || token.label != label || namesakes.contains(token.serial);
  });
  if (after.size() != 1) {
    return base::MakeError(
        after.empty() ? ErrorCode::kNotFound : ErrorCode::kAmbiguous,
        fmt::format("{}: C_InitToken said CKR_OK, and {} new tokens have that label", doing, after.size()));
  }
  return std::move(after.front());
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
  KC_RETURN_IF_ERROR(CheckLabel(label));
  KC_ASSIGN_OR_RETURN(const std::vector<TokenInfo> tokens, module->ListTokens());
  KC_ASSIGN_OR_RETURN(const TokenInfo target, FindTarget(*module, tokens, slot, retire));
  KC_RETURN_IF_ERROR(CheckPinPad(target, so_pin, "TOKEN-INIT-03"));
  if (target.initialised()) KC_RETURN_IF_ERROR(CheckPinTries(target, User::kSecurityOfficer));
  KC_RETURN_IF_ERROR(CheckPinSize(target, module->quirks(), so_pin, "TOKEN-INIT-02"));

  const std::set<std::string> namesakes = SerialsOf(tokens, label, slot);
  ConsequentialCall call;
  call.number = module->observer().NextCallNumber();
  call.function = Function::kInitToken;
  call.token_label = label;
  call.token_serial = target.serial;
  call.object = target.Name();
  call.wipes = target.initialised();
  return Perform<std::shared_ptr<Token>>(
      module->observer(), call, [&](CallOutcome& outcome) -> Result<std::shared_ptr<Token>> {
        CK_UTF8CHAR padded[kLabelSize];
        std::ranges::fill(padded, ' ');
        std::ranges::copy(label, padded);
        TimedCall(outcome, [&] { return module->api().InitToken(slot, PinPointer(so_pin), so_pin.size(), padded); });
        const std::string doing = fmt::format("initialising slot {} as token \"{}\"", slot, label);
        if (outcome.rv != CKR_OK) return CallError(Function::kInitToken, outcome.rv, doing);
        KC_ASSIGN_OR_RETURN(TokenInfo made, FindNewToken(*module, label, namesakes, doing));
        outcome.attributes = {{"label", made.label},
                              {"serial", made.serial},
                              {"manufacturer", made.manufacturer},
                              {"model", made.model},
                              {"firmware", made.firmware_version}};
        return std::make_shared<Token>(module, std::move(made));
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
  KC_ASSIGN_OR_RETURN(std::vector<CK_MECHANISM_TYPE> list,
                      ReadGrowingList<CK_MECHANISM_TYPE>(Function::kGetMechanismList, doing, "mechanisms",
                                                         [&](CK_MECHANISM_TYPE* into, CK_ULONG* count) {
                                                           return module_->api().GetMechanismList(slot(), into, count);
                                                         }));
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

}  // namespace hsm
