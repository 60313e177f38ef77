#include "ceremony/run/first_login.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/fake_token.h"
#include "tests/support/results.h"
#include "tests/support/scripted_terminal.h"

namespace {

using namespace ceremony;
using support::Bad;
using support::Good;
using Answer = support::ScriptedTerminal::Answer;

constexpr const char* kPin = "user-pin-of-it";

// A record token whose PIN people type, before there is a record. Three wrong ones lock it.
struct RecordToken {
  explicit RecordToken(std::vector<Answer> answers) : terminal(std::move(answers)) {
    terminal.SetHasPeople(true);
    device->AddToken("0001", "record", "so-pin-of-it", kPin);
    script::TokenBinding bound;
    bound.name = "record";
    bound.module = "/fake.so";
    bound.label = "record";
    bound.serial = "0001";
    bound.login = script::Login::kPinPrompt;
    binding.tokens.push_back(bound);
  }
  base::Result<hsm::Session*> LogIn() { return run::FirstLogin(room, terminal, "record"); }

  std::shared_ptr<support::FakeDevice> device = std::make_shared<support::FakeDevice>();
  script::Binding binding;
  estate::Estate estate;
  support::ScriptedTerminal terminal;
  run::TypedPins pins{terminal, script::PinPolicy{}};
  run::TokenRoom room{binding,
                      estate,
                      pins,
                      terminal,
                      nullptr,
                      [this](const hsm::ModuleOptions& options, std::shared_ptr<hsm::CallObserver> observer) {
                        return hsm::Module::Wrap(std::make_unique<support::FakeCryptoki>(device), options,
                                                 std::move(observer));
                      }};
};

Answer Pin(std::string typed) { return {"token.login/record", std::move(typed)}; }
Answer Then(std::string choice) { return {"first-login", std::move(choice)}; }

}  // namespace

TEST_CASE("a mistyped PIN of the record token is asked for again when people decide so") {
  RecordToken token({Pin("user-pin-of-if"), Then("try again"), Pin(kPin)});
  Good(token.LogIn());
  CHECK(token.terminal.AllAsked());
}

TEST_CASE("each try with the record token's PIN is one that people have decided on") {
  RecordToken token({Pin("user-pin-of-if"), Then("stop here")});
  const base::Error error = Bad(token.LogIn());
  CHECK(error.message.starts_with("wrong PIN: "));
  CHECK(error.call == "C_Login");
  CHECK(token.device->slots[0].user_failures == 1);
}

TEST_CASE("TOKEN-LOGIN-02: nobody types what would be the last try with the record token's PIN") {
  RecordToken token({Pin("user-pin-of-if"), Then("try again"), Pin("user-pin-of-iv"), Then("try again")});
  CHECK(Bad(token.LogIn()).rule == "TOKEN-LOGIN-02");
  CHECK(token.device->slots[0].user_failures == 2);
  CHECK(token.terminal.AllAsked());
}

TEST_CASE("what no other PIN would mend ends the first login at once") {
  RecordToken token({});
  token.device->slots[0].user_failures = 3;
  CHECK(Bad(token.LogIn()).rule == "TOKEN-LOGIN-01");
}
