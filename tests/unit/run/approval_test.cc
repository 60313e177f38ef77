// Gathering approvals, and shares for new PINs, with people who sign by themselves and a clock set by hand.
#include "ceremony/run/approval.h"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "ceremony/record/posix_storage.h"
#include "ceremony/run/ceremony.h"
#include "hsm/base/encoding.h"
#include "tests/support/results.h"
#include "tests/support/scripted_terminal.h"
#include "tests/unit/record/temporary_folder.h"
#include "tests/unit/record/test_keys.h"

namespace {

using namespace ceremony;
using support::Bad;
using support::Good;
using Strings = std::vector<std::string>;
using Answers = std::vector<support::ScriptedTerminal::Answer>;

class HandClock final : public base::Clock {
 public:
  std::int64_t UtcMicros() override { return 0; }
  std::int64_t BootMicros() override { return micros; }
  std::int64_t micros = 0;
};

// Everybody signs, and takes some minutes over it.
class Signers final : public quorum::Credentials {
 public:
  Signers(HandClock& clock, std::int64_t minutes) : clock_(clock), minutes_(minutes) {}
  void Add(const std::string& person, std::unique_ptr<record::SoftwareSigner> signer) {
    signers_[person] = std::move(signer);
  }
  base::Result<quorum::Approval> Approve(const script::Person& person,
                                         const quorum::ApprovalRequest& request) override {
    asked.push_back(person.id);
    clock_.micros += minutes_ * 60'000'000;
    KC_ASSIGN_OR_RETURN(record::SignatureLine line, record::SignText(request.text, *signers_.at(person.id)));
    return quorum::Approval{std::move(line), signers_.at(person.id)->key()};
  }
  base::Result<std::vector<quorum::ShamirShare>> OpenShares(const script::Person& person,
                                                            const quorum::ShareUse&) override {
    return base::MakeError(base::ErrorCode::kNotFound, person.id + " has no key here");
  }
  bool IsSimulated(const script::Person&) const override { return false; }

  Strings asked;

 private:
  HandClock& clock_;
  std::int64_t minutes_;
  std::map<std::string, std::unique_ptr<record::SoftwareSigner>> signers_;
};

class NoPins final : public run::PinKeeper {
 public:
  base::Result<base::SecretBytes> UserPin(const std::string&, const std::string&) override { return None(); }
  base::Result<base::SecretBytes> SecurityOfficerPin(const std::string&, const std::string&) override { return None(); }
  base::Result<steps::NewPins> NewPins(const std::string&, const std::string&) override { return None(); }

 private:
  static base::Error None() { return base::MakeError(base::ErrorCode::kInternal, "no PIN is asked for here"); }
};

constexpr const char* kText =
    "smki.example/root-2026/00112233445566778899aabbccddeeff\n3\n"
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n";

// A room with alice, bob and carol, custodians, two of whom are a quorum.
struct Room {
  explicit Room(Answers answers, std::int64_t minutes = 1) : terminal(std::move(answers)), credentials(clock, minutes) {
    inputs.roster.emplace();
    inputs.roster->estate = "smki.example";
    inputs.roster->quorums = {{"custodians", 2, script::Role::kCustodian}};
    std::size_t number = 0;
    for (const char* id : {"alice", "bob", "carol"}) {
      auto signer = record::TestSigner(std::string("smki.example/") + id, record::kTestKeys[number++]);
      script::Person person;
      person.id = id;
      person.name = id;
      person.roles = {script::Role::kCustodian};
      person.state = script::PersonState::kActive;
      person.sign_key = base::Base64Encode(signer->key().public_key().spki());
      person.open_key = person.sign_key;
      inputs.roster->people.push_back(person);
      credentials.Add(id, std::move(signer));
    }
    inputs.binding.emplace();
    inputs.policy.quorum.approval_minutes = 10;
    ceremony.emplace(world, inputs, estate::Estate{}, "0001-small");
    for (const script::Person& person : inputs.roster->people) Arrive(person.id);
  }
  void Arrive(const std::string& id) { ceremony->history().attendance().Arrive({id, id, {"custodian"}}); }
  void Leave(const std::string& id) { Good(ceremony->history().attendance().Depart(id)); }

  base::Result<void> Gather(const std::string& without = {}) {
    const script::Quorum& quorum = inputs.roster->quorums.front();
    run::Gathering gathering{quorum, "the step", kText, without, {}, clock.micros + 10 * 60'000'000, {}, {}, {}};
    gathering.take = [this](const record::Writer::Cosignature& signature) -> base::Result<void> {
      CHECK(signature.key.Verify(kText, signature.line.signature).ok());
      taken.emplace_back(signature.key.person());
      return {};
    };
    gathering.ended = [this](const run::Ending& ending) -> base::Result<void> {
      ended.push_back(ending.why.rule + " " + (ending.person == nullptr ? "time" : ending.person->id));
      reasons.push_back(ending.reason);
      return {};
    };
    return run::GatherSignatures(*ceremony, gathering);
  }

  record::TemporaryFolder folder;
  HandClock clock;
  support::ScriptedTerminal terminal;
  Signers credentials;
  NoPins pins;
  std::unique_ptr<record::Storage> storage = Good(record::PosixStorage::Open(folder.path()));
  run::World world{terminal,
                   clock,
                   *storage,
                   pins,
                   credentials,
                   [](const auto&, const auto&) -> base::Result<std::shared_ptr<hsm::Module>> {
                     return base::MakeError(base::ErrorCode::kInternal, "no module is loaded here");
                   },
                   [] { return false; }};
  script::Inputs inputs;
  std::optional<run::Ceremony> ceremony;
  Strings taken;
  Strings ended;
  Strings reasons;
};

}  // namespace

TEST_CASE("m of those who are here sign, in roster order, and nobody beyond them is asked") {
  Room room({{"approve/alice", "approve"}, {"approve/bob", "approve"}});
  Good(room.Gather());
  CHECK(room.taken == Strings{"alice", "bob"});
  CHECK(room.ended.empty());
  CHECK(room.terminal.AllAsked());
}

TEST_CASE("an approval that comes after the policy's minutes does not count, and the request is over") {
  Room room({{"approve/alice", "approve"}, {"approve/bob", "approve"}}, 6);
  const base::Error late = Bad(room.Gather());
  CHECK(late.code == base::ErrorCode::kNoQuorum);
  CHECK(late.rule == "QUORUM-LATE-01");
  CHECK(late.message == "the step was approved by 1 of 2 within the 10 minutes that the policy gives");
  CHECK(room.taken == Strings{"alice"});
  CHECK(room.ended == Strings{"QUORUM-LATE-01 time"});
}

TEST_CASE("an approval within the last minute still counts") {
  Room room({{"approve/alice", "approve"}, {"approve/bob", "approve"}}, 5);
  Good(room.Gather());
  CHECK(room.taken == Strings{"alice", "bob"});
}

TEST_CASE("who declines, or asks to wait, says why and ends it, and nobody else is asked") {
  Room declined({{"approve/alice", "approve"}, {"approve/bob", "decline"}, {"approve/bob/reason", "not that key"}});
  CHECK(Bad(declined.Gather()).message == "bob declined the step: not that key");
  CHECK(declined.ended == Strings{"QUORUM-DENIED-01 bob"});
  CHECK(declined.reasons == Strings{"not that key"});
  CHECK(declined.credentials.asked == Strings{"alice"});
  Room waiting({{"approve/alice", "not now"}, {"approve/alice/reason", "lunch"}});
  const base::Error error = Bad(waiting.Gather());
  CHECK(error.rule == "QUORUM-POSTPONED-01");
  CHECK(error.message == "alice asked to wait with the step: lunch");
  CHECK(waiting.ended == Strings{"QUORUM-POSTPONED-01 alice"});
  CHECK(waiting.taken.empty());
}

TEST_CASE("a no is taken back before its reason is given, and leaves no trace") {
  Room room({{"approve/alice", "decline"},
             {"approve/alice/reason", "back"},
             {"approve/alice", "approve"},
             {"approve/bob", "approve"}});
  Good(room.Gather());
  CHECK(room.taken == Strings{"alice", "bob"});
  CHECK(room.ended.empty());
}

TEST_CASE("whom it is about is not asked, and does not count") {
  Room room({{"approve/bob", "approve"}, {"approve/carol", "approve"}});
  Good(room.Gather("alice"));
  CHECK(room.taken == Strings{"bob", "carol"});
  Room few(Answers{{"approve/bob", "approve"}});
  few.Leave("carol");
  const base::Error error = Bad(few.Gather("alice"));
  CHECK(error.rule == "QUORUM-SHORT-01");
  CHECK(error.message ==
        "the step needs 2 people of the quorum custodians without alice, and 1 is here; not in the room: carol");
}

TEST_CASE("new PINs are not even drawn while somebody who is to hold a share is not here") {
  Room room(Answers{});
  room.Leave("bob");
  const base::Error error = Bad(room.ceremony->shares().NewPins("hsm", "custodians", "commission"));
  CHECK(error.code == base::ErrorCode::kNoQuorum);
  CHECK(error.rule == "SHARE-ABSENT-01");
  CHECK(error.message == "every holder confirms a new share of token hsm at once; bob is not here");
  CHECK(room.terminal.prompts() == 0);
}
