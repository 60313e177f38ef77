#include "ceremony/run/token_room.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hsm/cryptoki.h"

namespace ceremony::run {

TokenRoom::TokenRoom(const script::Binding& binding, const estate::Estate& estate, PinKeeper& pins,
                     room::Terminal& terminal, std::shared_ptr<hsm::CallObserver> observer, LoadModule load)
    : binding_(binding),
      estate_(estate),
      pins_(pins),
      terminal_(terminal),
      observer_(std::move(observer)),
      load_(std::move(load)) {}

base::Result<const script::TokenBinding*> TokenRoom::BindingOf(const std::string& token) const {
  const script::TokenBinding* found = binding_.Find(token);
  if (found == nullptr) {
    return base::MakeError(base::ErrorCode::kInvalidInput, fmt::format("the binding has no token {}", token))
        .WithHint("add it under \"tokens\"");
  }
  return found;
}

base::Result<std::shared_ptr<hsm::Module>> TokenRoom::ModuleOf(const std::string& token) {
  KC_ASSIGN_OR_RETURN(const script::TokenBinding* bound, BindingOf(token));
  const auto known = std::ranges::find_if(modules_, [bound](const LoadedModule& each) {
    return each.path == bound->module && each.init_args == bound->init_args;
  });
  if (known != modules_.end()) return known->module;
  const hsm::ModuleOptions options{bound->module, bound->environment, bound->init_args};
  auto loaded = load_(options, observer_);
  if (!loaded.ok()) {
    base::Error error = std::move(loaded).error();
    if (error.code == base::ErrorCode::kNotFound) error.code = base::ErrorCode::kToken;
    return std::move(error).Prefixed("token " + token);
  }
  if (loaded.value()->quirks().spies && binding_.environment != script::Environment::kRehearsal) {
    return base::Refusal("TOKEN-MODULE-01",
                         fmt::format("the module {} of token {} writes PINs in clear into a log", bound->module, token),
                         "bind the token's own module, not a spy or logger around it");
  }
  modules_.push_back({bound->module, bound->init_args, loaded.value()});
  return loaded;
}

namespace {

// A token of the right label and another serial is not a missing token: somebody has put another device in its place.
base::Result<void> RefuseNamesake(hsm::Module& module, const script::TokenBinding& bound, const std::string& serial) {
  if (serial.empty()) return {};
  KC_ASSIGN_OR_RETURN(const std::vector<hsm::TokenInfo> tokens, module.ListTokens());
  for (const hsm::TokenInfo& token : tokens) {
    if (!token.initialised() || token.label != bound.label || token.serial == serial) continue;
    // The token that is wanted is missing: that is what the exit status says.
    return base::MakeError(base::ErrorCode::kToken,
                           fmt::format("token {} was exchanged: a token of the same label \"{}\" is there, with the "
                                       "serial {}; token {} has the serial {}",
                                       bound.name, bound.label, token.serial, bound.name, serial))
        .WithRule("TOKEN-SERIAL-01")
        .WithHint("this is another device: do not log in to it; find out who exchanged it, and where the right one is");
  }
  return {};
}

}  // namespace

base::Result<std::shared_ptr<hsm::Token>> TokenRoom::Locate(const std::string& token) {
  if (const auto known = tokens_.find(token); known != tokens_.end()) return known->second;
  KC_ASSIGN_OR_RETURN(const script::TokenBinding* bound, BindingOf(token));
  const estate::Token* in_service = estate_.FindToken(token);
  const std::string serial = !bound->serial.empty() ? bound->serial : in_service != nullptr ? in_service->serial : "";
  if (in_service != nullptr && !serial.empty() && in_service->serial != serial) {
    return base::Refusal("TOKEN-SERIAL-01",
                         fmt::format("the binding gives token {} the serial {}, the estate knows it with serial {}",
                                     token, serial, in_service->serial),
                         "find out which device is the right one before anything else");
  }
  KC_ASSIGN_OR_RETURN(std::shared_ptr<hsm::Module> module, ModuleOf(token));
  auto found = hsm::Token::Locate(module, bound->label, serial);
  if (!found.ok()) {
    base::Error error = std::move(found).error();
    if (error.code == base::ErrorCode::kNotFound) KC_RETURN_IF_ERROR(RefuseNamesake(*module, *bound, serial));
    if (error.code == base::ErrorCode::kNotFound || error.code == base::ErrorCode::kAmbiguous)
      error.code = base::ErrorCode::kToken;
    return std::move(error).Prefixed("token " + token);
  }
  tokens_[token] = found.value();
  return found;
}

base::Result<steps::BlankToken> TokenRoom::LocateBlank(const std::string& token) {
  KC_ASSIGN_OR_RETURN(const script::TokenBinding* bound, BindingOf(token));
  KC_ASSIGN_OR_RETURN(std::shared_ptr<hsm::Module> module, ModuleOf(token));
  KC_ASSIGN_OR_RETURN(std::vector<hsm::TokenInfo> free, module->ListFreeSlots());
  if (bound->uninitialised) {
    const script::Uninitialised& wanted = *bound->uninitialised;
    std::erase_if(free, [&](const hsm::TokenInfo& info) {
      return (wanted.slot && info.slot != *wanted.slot) || (!wanted.serial.empty() && info.serial != wanted.serial) ||
             (!wanted.slot_description.empty() && info.slot_description != wanted.slot_description);
    });
  }
  if (free.empty()) {
    return base::MakeError(base::ErrorCode::kToken,
                           fmt::format("no uninitialised token answers to what the binding says of {}", token))
        .WithRule("TOKEN-BLANK-01")
        .WithHint("plug in the new token; a token that is in use is never wiped by token.commission");
  }
  if (free.size() > 1) {
    return base::MakeError(
               base::ErrorCode::kToken,
               fmt::format("{} uninitialised tokens answer to what the binding says of {}", free.size(), token))
        .WithRule("TOKEN-BLANK-02")
        .WithHint("unplug the others, or give the slot or the serial under \"uninitialised\" in the binding");
  }
  return steps::BlankToken{std::move(module), free.front(), bound->label};
}

void TokenRoom::Adopt(const std::string& name, std::shared_ptr<hsm::Token> token) { tokens_[name] = std::move(token); }

base::Result<void> TokenRoom::Forget(const std::string& name) {
  tokens_.erase(name);
  const auto login = logins_.find(name);
  if (login == logins_.end()) return {};
  hsm::LoginScope scope = std::move(login->second);
  logins_.erase(login);
  return scope.Close();
}

base::Result<void> TokenRoom::Restart(const std::string& name) {
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Module> module, ModuleOf(name));
  std::vector<std::string> names;
  for (const auto& [other, token] : tokens_) {
    if (&token->module() == module.get()) names.push_back(other);
  }
  for (const std::string& other : names) KC_RETURN_IF_ERROR(Forget(other));
  return module->Reinitialise();
}

base::Result<hsm::Session*> TokenRoom::Session(const std::string& token) {
  if (const auto open = logins_.find(token); open != logins_.end()) return &open->second.session();
  KC_ASSIGN_OR_RETURN(const script::TokenBinding* bound, BindingOf(token));
  KC_ASSIGN_OR_RETURN(std::shared_ptr<hsm::Token> located, Locate(token));
  base::SecretBytes pin;
  switch (bound->login) {
    case script::Login::kProtectedPath:
      terminal_.Say(room::Tone::kPlain, fmt::format("Enter the PIN of {} on its own keypad now.", located->Name()));
      break;
    case script::Login::kPinPrompt: {
      // A PIN that is the last try is not even asked for.
      KC_RETURN_IF_ERROR(located->Refresh());
      KC_RETURN_IF_ERROR(hsm::CheckPinTries(located->info(), hsm::User::kUser));
      KC_ASSIGN_OR_RETURN(pin, pins_.UserPin(token, located->Name()));
      break;
    }
    case script::Login::kShares: {
      if (!combine_) {
        return base::MakeError(
                   base::ErrorCode::kUnsupported,
                   fmt::format("token {} is bound with login \"shares\", and nobody is in the room yet", token))
            .WithHint("bind it with \"pin-prompt\" or \"protected-path\"");
      }
      // Nobody gives a share for a try that may not be made.
      KC_RETURN_IF_ERROR(located->Refresh());
      KC_RETURN_IF_ERROR(hsm::CheckPinTries(located->info(), hsm::User::kUser));
      KC_ASSIGN_OR_RETURN(pin, combine_(token));
      break;
    }
  }
  auto scope = hsm::LoginScope::Open(located, hsm::User::kUser, pin);
  if (!scope.ok()) {
    base::Error error = std::move(scope).error();
    return error.rv == CKR_PIN_INCORRECT ? std::move(error).Prefixed("wrong PIN") : std::move(error);
  }
  const auto [place, fresh] = logins_.emplace(token, std::move(scope).value());
  return &place->second.session();
}

base::Result<base::Bytes> TokenRoom::Random(const std::string& token, std::size_t octets) {
  if (const auto open = logins_.find(token); open != logins_.end())
    return open->second.session().GenerateRandom(octets);
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> located, Locate(token));
  KC_ASSIGN_OR_RETURN(hsm::Session session, hsm::Session::Open(located, hsm::Session::Access::kReadOnly));
  KC_ASSIGN_OR_RETURN(base::Bytes random, session.GenerateRandom(octets));
  KC_RETURN_IF_ERROR(session.Close());
  return random;
}

base::Result<void> TokenRoom::LogOut(std::string_view keep) {
  base::Result<void> first;
  for (auto login = logins_.begin(); login != logins_.end();) {
    if (login->first == keep) {
      ++login;
      continue;
    }
    auto closed = login->second.Close();
    if (!closed.ok() && first.ok()) first = std::move(closed);
    login = logins_.erase(login);
  }
  return first;
}

std::string TokenRoom::NameOf(const std::string& label, const std::string& serial) const {
  for (const auto& [name, token] : tokens_) {
    if (token->info().label == label && token->info().serial == serial) return name;
  }
  for (const script::TokenBinding& bound : binding_.tokens) {
    if (bound.label == label) return bound.name;
  }
  return label;
}

}  // namespace ceremony::run
