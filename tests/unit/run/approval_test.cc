// Gathering approvals, and shares for new PINs, with people who sign by themselves and a clock set by hand.
#include "ceremony/run/approval.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/run/room.h"

namespace {

using namespace ceremony;
using run::Answers;
using run::Strings;
using support::Bad;
using support::Good;

constexpr const char* kText =
    "smki.example/root-2026/00112233445566778899aabbccddeeff\n3\n"
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n";

// Room gathers signatures under a text, as a step would.
struct Room : run::Room {
  explicit Room(const Answers& answers, std::int64_t minutes = 1) : run::Room(answers, minutes) {}

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

TEST_CASE("a request that lives for minutes says at each question until when") {
  Room room({{"approve/alice", "approve"}, {"approve/bob", "approve"}});
  room.clock.micros = (20 * 3600 + 5) * std::int64_t{1'000'000};
  Good(room.Gather());
  const std::string& shown = room.terminal.transcript();
  CHECK(shown.find("Do you approve the step? Until 20:10:05 UTC.") != std::string::npos);
  CHECK(shown.find("No passphrase") == std::string::npos);
}

TEST_CASE("a consent says that it wants no passphrase") {
  Room room({{"approve/alice", "approve"}, {"approve/bob", "approve"}});
  Good(run::ConsentToClose(*room.ceremony, room.inputs.roster->quorums.front(), "closing the record now"));
  CHECK(room.terminal.transcript().find("Do you approve closing the record now? No passphrase is needed for this.") !=
        std::string::npos);
  CHECK(room.credentials.asked.empty());
}

TEST_CASE("nobody is asked to approve a step whose share holders are not all here, and all who miss are named") {
  Room room(Answers{});
  room.inputs.binding->tokens.front().login = script::Login::kShares;
  room.ceremony.emplace(room.world, room.inputs, estate::Estate{}, "0001-small");
  room.Arrive("alice");
  script::Step step;
  step.kind = "quorum.reshare";
  step.fields = script::StepValues({{"token", "record-hsm"}, {"shares", "custodians"}});
  const base::Error error = Bad(room.ceremony->shares().CheckHolders(step));
  CHECK(error.rule == "SHARE-ABSENT-01");
  CHECK(error.message == "every holder confirms a new share of token record-hsm at once; bob, carol are not here");
  CHECK(room.terminal.prompts() == 0);
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
