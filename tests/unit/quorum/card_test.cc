// A custodian's card, on tokens of every make that CARD_MAKES names.
#include "ceremony/quorum/card.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "ceremony/quorum/shared_modules.h"
#include "hsm/faulty_cryptoki.h"
#include "hsm/keygen.h"
#include "tests/support/token_world.h"
#include "tests/unit/quorum/people.h"

using namespace credential;
using ceremony::quorum::SharedModules;
using ceremony::script::CredentialKind;
using ceremony::script::Person;

namespace {

std::vector<std::string> Makes() {
  std::vector<std::string> makes;
  std::istringstream words(CARD_MAKES);
  for (std::string word; words >> word;) makes.push_back(word);
  return makes;
}

// Alice with both her keys on a token.
struct CardHolder {
  explicit CardHolder(const std::string& make) : world(support::NewWorldOf(make)) {
    if (!world) std::exit(77);  // the make is not installed: the test is skipped
    const auto token = world->FindToken(world->LoadModule());
    hsm::LoginScope login = world->Login(token);
    alice = Alice();
    alice.sign_key = Make(login.session(), "alice sign", {1}, hsm::kSigningUsage);
    alice.open_key = Make(login.session(), "alice open", {2}, hsm::kDerivingUsage);
    card.kind = CredentialKind::kCard;
    card.module = world->options().path;
    card.label = world->token_label();
  }

  static std::string Make(hsm::Session& session, const std::string& label, base::Bytes id, hsm::KeyUsage usage) {
    hsm::KeyGeneration made = hsm::GenerateKeyPair(
        session, {.algorithm = base::KeyAlgorithm::kEcP256, .label = label, .id = std::move(id), .usage = usage});
    return base::Base64Encode(Good(std::move(made.key)).pair.public_key.spki());
  }

  // Loads the world's module behind a plan of faults.
  ceremony::quorum::LoadCardModule Load(std::shared_ptr<hsm::FaultPlan> plan = std::make_shared<hsm::FaultPlan>()) {
    return [this, plan](const hsm::ModuleOptions&) {
      return hsm::Module::Wrap(std::make_unique<hsm::FaultyCryptoki>(world->LoadApi(), plan), world->options(),
                               nullptr);
    };
  }

  std::unique_ptr<support::TokenWorld> world;
  Person alice;
  CredentialBinding card;
};

}  // namespace

TEST_CASE("a card signs and opens, asking for its PIN once for each use") {
  for (const std::string& make : Makes()) {
    CAPTURE(make);
    CardHolder holder(make);
    ScriptedTerminal terminal({{"card.pin/alice", holder.world->user_pin()},
                               {"card.pin/alice", holder.world->user_pin()},
                               {"card.pin/alice", holder.world->user_pin()}});
    terminal.SetHasPeople(true);
    BoundCredentials credentials(BindingOf(holder.card), terminal, holder.Load());
    Refusals refusals;
    const std::string text = CheckpointText(3, 1);
    for (int i = 0; i < 2; ++i) {
      const auto approval = Good(credentials.Approve(holder.alice, refusals.Request(text)));
      CHECK(approval.line.name == "smki.example/alice");
      CHECK(approval.key.Verify(text, approval.line.signature).ok());
    }
    const auto peer = Good(ceremony::quorum::SoftwareAgreementKey::Generate());
    // Both halves of a share, one PIN.
    const auto agree_twice = [&](ceremony::quorum::AgreementKey& opener) -> base::Result<void> {
      CHECK(Good(opener.Agree(peer->public_key())).Equals(Good(peer->Agree(opener.public_key()))));
      CHECK(Good(opener.Agree(peer->public_key())).Equals(Good(peer->Agree(opener.public_key()))));
      return {};
    };
    CHECK(credentials.UseOpener(holder.alice, agree_twice, {}).ok());
    CHECK(terminal.AllAsked());
    CHECK(refusals.rules.empty());
    CHECK(terminal.transcript().find(holder.world->user_pin()) == std::string::npos);
  }
}

TEST_CASE("a wrong card PIN is refused, told, and tried again only when the person says so") {
  for (const std::string& make : Makes()) {
    CAPTURE(make);
    CardHolder holder(make);
    ScriptedTerminal terminal({{"card.pin/alice", "99999999"},
                               {"credential.retry/alice", "try again"},
                               {"card.pin/alice", holder.world->user_pin()},
                               {"card.pin/alice", "99999999"},
                               {"credential.retry/alice", "give up"}});
    terminal.SetHasPeople(true);
    BoundCredentials credentials(BindingOf(holder.card), terminal, holder.Load());
    Refusals refusals;
    CHECK(credentials.Approve(holder.alice, refusals.Request(CheckpointText(3, 1))).ok());
    const base::Error error = Bad(credentials.Approve(holder.alice, refusals.Request(CheckpointText(3, 1))));
    CHECK(error.code == base::ErrorCode::kToken);
    CHECK(error.message.starts_with("wrong PIN for the card of Alice Archer, \"test token\""));
    CHECK(refusals.rules == std::vector<std::string>{"CRED-09", "CRED-09"});
    CHECK(terminal.AllAsked());
  }
}

TEST_CASE("a card that is pulled at any call while it signs is a clear error, and may be put back") {
  for (const std::string& make : Makes()) {
    CAPTURE(make);
    CardHolder holder(make);
    const std::string text = CheckpointText(3, 1);
    std::vector<hsm::Function> calls;
    {
      const auto plan = std::make_shared<hsm::FaultPlan>();
      ScriptedTerminal terminal({{"card.pin/alice", holder.world->user_pin()}});
      terminal.SetHasPeople(true);
      BoundCredentials credentials(BindingOf(holder.card), terminal, holder.Load(plan));
      Refusals refusals;
      REQUIRE(credentials.Approve(holder.alice, refusals.Request(text)).ok());
      calls.assign(plan->calls().begin(), plan->calls().end());
    }
    std::size_t pulled = 0;
    for (const hsm::Function at :
         {hsm::Function::kOpenSession, hsm::Function::kLogin, hsm::Function::kSignInit, hsm::Function::kSign}) {
      for (const CK_RV rv : {CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT}) {
        const auto found = std::find(calls.begin(), calls.end(), at);
        REQUIRE(found != calls.end());
        hsm::Fault fault;
        fault.call = static_cast<std::uint64_t>(found - calls.begin()) + 1;
        fault.kind = hsm::Fault::Kind::kFailInstead;
        fault.rv = rv;
        ScriptedTerminal terminal({{"card.pin/alice", holder.world->user_pin()},
                                   {"credential.retry/alice", "try again"},
                                   {"card.pin/alice", holder.world->user_pin()}});
        terminal.SetHasPeople(true);
        BoundCredentials credentials(BindingOf(holder.card), terminal,
                                     holder.Load(std::make_shared<hsm::FaultPlan>(fault)));
        Refusals refusals;
        const auto approval = credentials.Approve(holder.alice, refusals.Request(text));
        CHECK(approval.ok());
        CHECK(refusals.rules == std::vector<std::string>{"CRED-10"});
        CHECK(terminal.AllAsked());
        CHECK(terminal.transcript().find("[CRED-10]") != std::string::npos);
        ++pulled;
      }
    }
    CHECK(pulled == 8);
  }
}

TEST_CASE("another card, and none, are told apart") {
  CardHolder holder(Makes().front());
  ScriptedTerminal terminal({{"card.pin/alice", holder.world->user_pin()}, {"credential.retry/alice", "give up"}});
  terminal.SetHasPeople(true);
  Person bob = holder.alice;
  bob.sign_key = Alice().sign_key;
  BoundCredentials credentials(BindingOf(holder.card), terminal, holder.Load());
  Refusals refusals;
  CHECK(Bad(credentials.Approve(bob, refusals.Request(CheckpointText(3, 1)))).rule == "CRED-11");
  CHECK(terminal.AllAsked());
  holder.card.label = "nobody's";
  ScriptedTerminal patient(std::vector<ScriptedTerminal::Answer>{{"credential.retry/alice", "give up"}});
  patient.SetHasPeople(true);
  BoundCredentials missing(BindingOf(holder.card), patient, holder.Load());
  const base::Error error = Bad(missing.Approve(holder.alice, refusals.Request(CheckpointText(3, 1))));
  CHECK(error.rule == "CRED-10");
  CHECK(error.message.starts_with("the card of Alice Archer, \"nobody's\" is in no reader"));
  CHECK(patient.AllAsked());
}

TEST_CASE("a card that would lock with the next wrong PIN is not tried") {
  if (Makes().front() != "fake") return;  // only the fake can be told how many tries are left
  CardHolder holder("fake");
  ScriptedTerminal terminal({{"card.pin/alice", "99999999"},
                             {"credential.retry/alice", "try again"},
                             {"card.pin/alice", "99999999"},
                             {"credential.retry/alice", "try again"}});
  terminal.SetHasPeople(true);
  BoundCredentials credentials(BindingOf(holder.card), terminal, holder.Load());
  Refusals refusals;
  CHECK(Bad(credentials.Approve(holder.alice, refusals.Request(CheckpointText(3, 1)))).rule == "TOKEN-LOGIN-02");
  CHECK(refusals.rules == std::vector<std::string>{"CRED-09", "CRED-09", "TOKEN-LOGIN-02"});
  CHECK(terminal.AllAsked());
  CHECK(terminal.transcript().find("the last PIN that was typed for this card was wrong") != std::string::npos);
}

TEST_CASE("a module that a ceremony and a card share is loaded once, and the card's calls are not the ceremony's") {
  CardHolder holder(Makes().front());
  class Counter final : public hsm::CallObserver {
   public:
    void Called(hsm::Function, CK_RV, std::chrono::nanoseconds) override { ++calls; }
    int calls = 0;
  };
  int loads = 0;
  SharedModules modules([&](const hsm::ModuleOptions&, std::shared_ptr<hsm::CallObserver> observer) {
    ++loads;
    return hsm::Module::Wrap(holder.world->LoadApi(), holder.world->options(), std::move(observer));
  });
  const auto counter = std::make_shared<Counter>();
  const auto module = Good(modules.ForCeremony(holder.world->options(), counter));
  const auto token = holder.world->FindToken(module);
  const int before = counter->calls;
  CHECK(before > 0);
  ScriptedTerminal terminal({{"card.pin/alice", holder.world->user_pin()}});
  terminal.SetHasPeople(true);
  BoundCredentials credentials(BindingOf(holder.card), terminal,
                               [&](const hsm::ModuleOptions&) { return modules.ForCard(holder.world->options()); });
  Refusals refusals;
  CHECK(credentials.Approve(holder.alice, refusals.Request(CheckpointText(3, 1))).ok());
  CHECK(counter->calls == before);
  CHECK(loads == 1);
  Good(token->Refresh());
  CHECK(counter->calls > before);
}

TEST_CASE("MODULE-INIT-01: a module that is in use is not handed out under another setting") {
  CardHolder holder(Makes().front());
  SharedModules modules([&](const hsm::ModuleOptions&, std::shared_ptr<hsm::CallObserver> observer) {
    return hsm::Module::Wrap(holder.world->LoadApi(), holder.world->options(), std::move(observer));
  });
  const auto module = Good(modules.ForCeremony(holder.world->options(), nullptr));
  hsm::ModuleOptions other = holder.world->options();
  other.environment["OTHER_CONF"] = "/elsewhere";
  CHECK(Bad(modules.ForCard(other)).rule == "MODULE-INIT-01");
  other = holder.world->options();
  other.init_args = "configdir='/elsewhere'";
  CHECK(Bad(modules.ForCeremony(other, nullptr)).rule == "MODULE-INIT-01");
  CHECK(Good(modules.ForCard(holder.world->options())) == module);
}
