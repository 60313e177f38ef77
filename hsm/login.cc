#include "hsm/login.h"

#include <fmt/format.h>

#include <utility>

#include "hsm/describe.h"

namespace hsm {
namespace {

// How the tries stand after a wrong PIN, as far as the token tells.
std::string TriesLeft(Token& token, const PinFlags& user) {
  if (!token.Refresh().ok()) return "the token cannot be asked how many tries are left";
  const CK_FLAGS flags = token.info().flags;
  if ((flags & user.locked) != 0) return "the PIN is locked now";
  if ((flags & user.final_try) != 0) return "one more wrong PIN locks it";
  if ((flags & user.count_low) != 0) return "the token counts wrong PINs, at least one since the last right one";
  return "the token does not say how many tries are left";
}

}  // namespace

Result<LoginScope> LoginScope::Open(std::shared_ptr<Token> token, User user, const base::SecretBytes& pin,
                                    IfLoggedIn if_logged_in) {
  const PinFlags& who = FlagsOf(user);
  KC_RETURN_IF_ERROR(token->Refresh());
  const TokenInfo& info = token->info();
  KC_RETURN_IF_ERROR(CheckPinTries(info, user));
  if (user == User::kUser && (info.flags & CKF_USER_PIN_INITIALIZED) == 0) {
    return base::Refusal("TOKEN-LOGIN-06", info.Name() + " has no user PIN yet", "commission the token first");
  }
  KC_RETURN_IF_ERROR(CheckPinPad(info, pin, "TOKEN-LOGIN-04"));
  KC_RETURN_IF_ERROR(CheckPinSize(info, token->quirks(), pin, "TOKEN-LOGIN-03"));

  KC_ASSIGN_OR_RETURN(Session opened, Session::Open(token, Session::Access::kReadWrite));
  auto session = std::make_unique<Session>(std::move(opened));
  const CK_RV rv = session->api().Login(session->handle(), who.type, PinPointer(pin), pin.size());
  if (rv == CKR_OK) return LoginScope(std::move(session), true);
  if (rv == CKR_USER_ALREADY_LOGGED_IN) {
    if (if_logged_in == IfLoggedIn::kShare) return LoginScope(std::move(session), false);
    return base::Refusal(
        "TOKEN-LOGIN-05",
        fmt::format("the {} is logged in to {} already: the PIN was not checked", who.name, info.Name()),
        "the first login must end before this one begins");
  }
  Error error = CallError(Function::kLogin, rv, fmt::format("logging the {} in to {}", who.name, info.Name()));
  if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE) {
    error.message += "; " + TriesLeft(*token, who);
    error.hint = "nothing was tried twice: check the PIN and its token before another attempt";
    // What the token shows now, as it was refreshed; some show nothing.
    if (rv == CKR_PIN_LOCKED) error.hint = who.when_locked;
    if (const Result<void> next = CheckPinTries(token->info(), user); !next.ok()) error.hint = next.error().hint;
  }
  return error;
}

LoginScope::LoginScope(LoginScope&& other) noexcept
    : session_(std::move(other.session_)), owns_login_(std::exchange(other.owns_login_, false)) {}

LoginScope& LoginScope::operator=(LoginScope&& other) noexcept {
  if (this != &other) {
    LoginScope old(std::move(*this));
    session_ = std::move(other.session_);
    owns_login_ = std::exchange(other.owns_login_, false);
  }
  return *this;
}

Result<void> LoginScope::Logout() {
  if (!std::exchange(owns_login_, false) || session_->handle() == CK_INVALID_HANDLE) return {};
  const CK_RV rv = session_->api().Logout(session_->handle());
  if (rv != CKR_OK) return CallError(Function::kLogout, rv, "logging out of " + session_->token().Name());
  return {};
}

LoginScope::~LoginScope() {
  if (!session_) return;
  const Result<void> done = Logout();
  if (!done.ok()) session_->token().module().observer().Trouble(done.error());
}

Result<void> LoginScope::Close() {
  Result<void> logged_out = Logout();
  Result<void> closed = session_->Close();
  if (!logged_out.ok()) return logged_out;
  return closed;
}

}  // namespace hsm
