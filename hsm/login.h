// LoginScope holds a login on a token. The login ends with it.
#ifndef HSM_LOGIN_H_
#define HSM_LOGIN_H_

#include <memory>

#include "hsm/base/secret_bytes.h"
#include "hsm/pin_rules.h"
#include "hsm/session.h"

namespace hsm {

// IfLoggedIn says what to do when this process is logged in to the token already. The token does not check the PIN
// then.
enum class IfLoggedIn : std::uint8_t {
  kRefuse,  // TOKEN-LOGIN-05
  kShare,   // use the login that is there; owns_login() is false, and it stays
};

// The scope has a read-write session of its own. A PKCS#11 login belongs to the token, not to a session, and must end
// whatever happened to other sessions.
class LoginScope final {
 public:
  // Open logs in, in one attempt. An empty PIN means the token's PIN pad. A token with a pad takes a PIN that is given,
  // too: CKF_PROTECTED_AUTHENTICATION_PATH permits a login without a PIN and does not demand it (2.40 table 6).
  // kRefused, before the PIN is sent anywhere:
  //   TOKEN-LOGIN-01  the PIN is locked
  //   TOKEN-LOGIN-02  one more wrong PIN would lock it
  //   TOKEN-LOGIN-03  the PIN's size is not one that the token takes
  //   TOKEN-LOGIN-04  no PIN was given and the token has no PIN pad
  //   TOKEN-LOGIN-06  the token has no user PIN yet
  // kToken: the token said no; for a wrong PIN the message says how the tries stand.
  static Result<LoginScope> Open(std::shared_ptr<Token> token, User user, const base::SecretBytes& pin,
                                 IfLoggedIn if_logged_in = IfLoggedIn::kRefuse);

  LoginScope(LoginScope&& other) noexcept;
  LoginScope& operator=(LoginScope&& other) noexcept;
  LoginScope(const LoginScope&) = delete;
  LoginScope& operator=(const LoginScope&) = delete;
  // Logs out, if it logged in; a failure goes to the observer.
  ~LoginScope();

  // Close logs out and closes the session, and reports.
  Result<void> Close();

  // session is logged in, read-write, and good while the scope lives.
  Session& session() { return *session_; }
  bool owns_login() const { return owns_login_; }

 private:
  LoginScope(std::unique_ptr<Session> session, bool owns_login)
      : session_(std::move(session)), owns_login_(owns_login) {}
  Result<void> Logout();

  std::unique_ptr<Session> session_;  // at one address: observers hold it during calls
  bool owns_login_ = false;
};

}  // namespace hsm

#endif  // HSM_LOGIN_H_
