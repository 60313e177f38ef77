#include "ceremony/run/token_room.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "tests/support/fake_token.h"
#include "tests/support/results.h"
#include "tests/support/scripted_terminal.h"

namespace {

using namespace ceremony;
using support::Bad;
using support::Good;

class NoPins final : public run::PinKeeper {
 public:
  base::Result<base::SecretBytes> UserPin(const std::string&, const std::string&) override { return None(); }
  base::Result<base::SecretBytes> SecurityOfficerPin(const std::string&, const std::string&) override { return None(); }
  base::Result<steps::NewPins> NewPins(const std::string&, const std::string&) override { return None(); }

 private:
  static base::Error None() { return base::MakeError(base::ErrorCode::kInternal, "no PIN is typed here"); }
};

// A token that is opened with shares, after so many wrong PINs.
struct SharedToken {
  explicit SharedToken(unsigned failures) {
    device->AddToken("0001", "root-hsm", "so-pin-of-it", "user-pin-of-it");
    device->slots[0].user_failures = failures;
    script::TokenBinding bound;
    bound.name = "hsm";
    bound.module = "/fake.so";
    bound.label = "root-hsm";
    bound.serial = "0001";
    bound.login = script::Login::kShares;
    binding.tokens.push_back(bound);
    room.UseShares([this](const std::string& token) -> base::Result<base::SecretBytes> {
      CHECK(token == "hsm");
      ++asked;
      return base::SecretBytes::CopyOf(base::AsBytes("user-pin-of-it"));
    });
  }
  std::shared_ptr<support::FakeDevice> device = std::make_shared<support::FakeDevice>();
  script::Binding binding;
  estate::Estate estate;
  NoPins pins;
  support::ScriptedTerminal terminal;
  int asked = 0;
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

}  // namespace

TEST_CASE("shares open a token once for as long as its session is open") {
  SharedToken token(0);
  Good(token.room.Session("hsm"));
  Good(token.room.Session("hsm"));
  CHECK(token.asked == 1);
}

TEST_CASE("TOKEN-SERIAL-01: a token that was exchanged for one of the same label is named as such, and not opened") {
  SharedToken token(0);
  token.device->slots[0].serial = "0002";
  const base::Error error = Bad(token.room.Session("hsm"));
  CHECK(error.rule == "TOKEN-SERIAL-01");
  CHECK(error.message ==
        "token hsm was exchanged: a token of the same label \"root-hsm\" is there, with the serial 0002; token hsm has "
        "the serial 0001");
  CHECK(token.asked == 0);
}

TEST_CASE("nobody gives a share for a token that one more wrong PIN would lock, or that is locked") {
  SharedToken last(2);
  CHECK(Bad(last.room.Session("hsm")).rule == "TOKEN-LOGIN-02");
  CHECK(last.asked == 0);
  SharedToken locked(3);
  CHECK(Bad(locked.room.Session("hsm")).rule == "TOKEN-LOGIN-01");
  CHECK(locked.asked == 0);
  // It is looked at anew when the ceremony goes on: after one wrong PIN there are tries left.
  last.device->slots[0].user_failures = 1;
  Good(last.room.Session("hsm"));
  CHECK(last.asked == 1);
}
