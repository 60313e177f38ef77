// TokenRoom holds the tokens of a ceremony: modules loaded as the binding says,
// tokens found by label and serial, one login a token at a time.
#ifndef CEREMONY_RUN_TOKEN_ROOM_H_
#define CEREMONY_RUN_TOKEN_ROOM_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/quorum/shared_modules.h"
#include "ceremony/room/terminal.h"
#include "ceremony/run/pins.h"
#include "ceremony/script/binding.h"
#include "ceremony/steps/step_context.h"
#include "hsm/login.h"
#include "hsm/module.h"
#include "hsm/observer.h"
#include "hsm/token.h"

namespace ceremony::run {

using quorum::LoadModule;

class TokenRoom final {
 public:
  // The references must outlive the room. `estate` knows the serials of tokens
  // that earlier ceremonies took into service.
  TokenRoom(const script::Binding& binding, const estate::Estate& estate, PinKeeper& pins, room::Terminal& terminal,
            std::shared_ptr<hsm::CallObserver> observer, LoadModule load);

  // ModuleOf loads the module of a token, each path and init_args once, and keeps it.
  // TOKEN-MODULE-01 (not in a rehearsal): the module writes PINs into a log (spy).
  base::Result<std::shared_ptr<hsm::Module>> ModuleOf(const std::string& token);

  // Locate finds a token in service. TOKEN-SERIAL-01: the binding's serial is
  // not the one that the estate knows under this name.
  base::Result<std::shared_ptr<hsm::Token>> Locate(const std::string& token);

  // LocateBlank finds the uninitialised token that the binding describes:
  // TOKEN-BLANK-01 none, TOKEN-BLANK-02 several answer.
  base::Result<steps::BlankToken> LocateBlank(const std::string& token);

  // Adopt says which token now stands for a name, after it was initialised.
  void Adopt(const std::string& name, std::shared_ptr<hsm::Token> token);
  // UseShares says who combines the user PIN of a token that is bound with login
  // "shares"; without it such a token cannot be logged in to.
  using CombinePin = std::function<base::Result<base::SecretBytes>(const std::string& token)>;
  void UseShares(CombinePin combine) { combine_ = std::move(combine); }

  // Session returns the session of a token, logging in when there is none; it lives until the ceremony ends it.
  base::Result<hsm::Session*> Session(const std::string& token);

  // Random returns octets of the token's own generator, without a login.
  base::Result<base::Bytes> Random(const std::string& token, std::size_t octets);

  // NameOf returns the logical name of a token by what it shows of itself.
  std::string NameOf(const std::string& label, const std::string& serial) const;

  struct LoadedModule {
    std::string path;
    std::string init_args;
    std::shared_ptr<hsm::Module> module;
  };
  const std::vector<LoadedModule>& modules() const { return modules_; }
  const script::Binding& binding() const { return binding_; }
  PinKeeper& pins() { return pins_; }

 private:
  // The log key lives in a session of the record token: only who knows of it ends sessions.
  friend class Ceremony;
  // Forget drops what is known of a token, so that it is looked for again.
  base::Result<void> Forget(const std::string& name);
  // Restart forgets every token of this token's module, and has the module finalised and initialised again.
  base::Result<void> Restart(const std::string& name);
  // LogOut ends every login but that of `keep` (empty: every one).
  base::Result<void> LogOut(std::string_view keep);

  base::Result<const script::TokenBinding*> BindingOf(const std::string& token) const;

  const script::Binding& binding_;
  const estate::Estate& estate_;
  PinKeeper& pins_;
  room::Terminal& terminal_;
  std::shared_ptr<hsm::CallObserver> observer_;
  LoadModule load_;
  CombinePin combine_;
  std::vector<LoadedModule> modules_;
  std::map<std::string, std::shared_ptr<hsm::Token>> tokens_;
  std::map<std::string, hsm::LoginScope> logins_;
};

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_TOKEN_ROOM_H_
