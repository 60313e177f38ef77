#include "ceremony/steps/room_book.h"

#include "tests/support/scripted_terminal.h"
#include "tests/unit/steps/plan_fixture.h"

namespace {

using ceremony::quorum::Attendance;
using ceremony::steps::PresentOf;
using ceremony::steps::RoomBook;
using nlohmann::json;
using plan_fixture::Files;
using Answers = std::vector<support::ScriptedTerminal::Answer>;

// A room with a roster, a terminal that answers as scripted, and what was entered.
struct Room {
  explicit Room(Answers answers) : terminal(std::move(answers)) {}

  ceremony::script::Roster roster = *plan_fixture::InputsOf(Files()).roster;
  Attendance attendance;
  support::ScriptedTerminal terminal;
  std::vector<json> entries;
  RoomBook book{roster, attendance, terminal, [this](std::string_view type, json fields) {
                  fields["type"] = type;
                  entries.push_back(fields);
                  return attendance.See(fields);
                }};

  std::string Here() const {
    std::string ids;
    for (const auto& attendee : attendance.present()) ids += (ids.empty() ? "" : " ") + attendee.person;
    return ids;
  }
};

void Must(const base::Result<void>& result) {
  REQUIRE_MESSAGE(result.ok(), (result.ok() ? "" : result.error().message));
}

}  // namespace

TEST_CASE("the roll call asks everybody once and enters where they are") {
  Room room(Answers{{"room.attend/alice", "in the room"},
                    {"room.attend/bob", "taking part remotely"},
                    {"room.attend/carol", "not here yet"},
                    {"room.attend/wendy", "1"}});
  Must(room.book.CallRoll());
  CHECK(room.terminal.AllAsked());
  CHECK(room.Here() == "alice bob wendy");
  CHECK(room.attendance.Find("bob")->presence == ceremony::quorum::Presence::kRemote);
  CHECK(room.entries.size() == 4);
  // Keys are shown in words, so that people know each other's.
  CHECK(room.terminal.transcript().find("signs with ") != std::string::npos);
}

TEST_CASE("somebody who is here for a part of the time says the hours, in their order") {
  Room room(Answers{{"room.attend/alice", "in the room for a part of the time"},
                    {"room.attend/alice/hours", "14:00-09:00"},
                    {"room.attend/alice/hours", "09:00-12:30"},
                    {"room.attend/bob", "in the room"},
                    {"room.attend/carol", "in the room"},
                    {"room.attend/wendy", "in the room"}});
  Must(room.book.CallRoll());
  CHECK(room.attendance.Find("alice")->from == "09:00");
  CHECK(room.attendance.Find("alice")->until == "12:30");
  CHECK(room.terminal.transcript().find("14:00-09:00 ends before it begins") != std::string::npos);
}

TEST_CASE("hours and an apology that were begun by mistake are gone back from, and leave no trace") {
  Room room(Answers{{"room.attend/alice", "in the room for a part of the time"},
                    {"room.attend/alice/hours", "back"},
                    {"room.attend/alice", "will not come"},
                    {"room.attend/alice/reason", "back"},
                    {"room.attend/alice", "in the room"},
                    {"room.attend/bob", "in the room"},
                    {"room.attend/carol", "in the room"},
                    {"room.attend/wendy", "in the room"}});
  Must(room.book.CallRoll());
  CHECK(room.entries.size() == 4);
  CHECK(room.attendance.Find("alice")->from.empty());
  CHECK(room.terminal.transcript().find("To go back, type back.") != std::string::npos);
}

TEST_CASE("hours that no clock shows are not taken") {
  Room room(Answers{{"room.attend/alice", "2"}, {"room.attend/alice/hours", "9-12"}});
  const auto called = room.book.CallRoll();
  REQUIRE_FALSE(called.ok());
  CHECK(called.error().message == "you typed \"9-12\", expected something like \"09:00-12:30\"");
}

TEST_CASE("an apology has a reason and a deputy, who counts for themselves alone") {
  Room room(Answers{{"room.attend/alice", "in the room"},
                    {"room.attend/bob", "will not come"},
                    {"room.attend/bob/reason", "ill"},
                    {"room.attend/bob/deputy", "Alice (alice)"},
                    {"room.attend/carol", "will not come"},
                    {"room.attend/carol/reason", "missed the train"},
                    {"room.attend/carol/deputy", "Wendy (wendy)"},
                    {"room.attend/wendy", "in the room"}});
  Must(room.book.CallRoll());
  // Alice was here when she was named, Wendy comes later: both entries say for whom.
  CHECK(room.attendance.Find("alice")->deputy_for == "bob");
  CHECK(room.attendance.Find("wendy")->deputy_for == "carol");
  CHECK(room.attendance.Find("wendy")->roles == std::vector<std::string>{"witness", "security-officer"});
  CHECK(PresentOf(room.roster, *room.roster.FindQuorum("custodians"), room.attendance) == 1);
  // Asked again, nobody who has apologised is called.
  Must(room.book.CallRoll());
  CHECK(room.terminal.AllAsked());
}

TEST_CASE("people come and go, and the quorum is counted anew") {
  Room room(Answers{{"room.attend/alice", "in the room"},
                    {"room.attend/bob", "in the room"},
                    {"room.attend/carol", "not here yet"},
                    {"room.attend/wendy", "in the room"},
                    {"room.change", "Bob (bob) leaves"},
                    {"room.change/bob", "go back: they are not leaving"},
                    {"room.change", "Bob (bob) leaves"},
                    {"room.change/bob", "yes, later"},
                    {"room.change", "nobody else"},
                    {"room.change", "Bob (bob) comes back"},
                    {"room.change/bob", "taking part remotely"},
                    {"room.change", "Carol (carol) arrives"},
                    {"room.change/carol", "go back: they are not here"},
                    {"room.change", "Carol (carol) arrives"},
                    {"room.change/carol", "in the room"},
                    {"room.change", "nobody else"}});
  Must(room.book.CallRoll());
  Must(room.book.RecordChange());
  CHECK(room.Here() == "alice wendy");
  CHECK(room.terminal.transcript().find("Quorum custodians: 1 of its members is here, 2 must approve.") !=
        std::string::npos);
  Must(room.book.RecordChange());
  CHECK(room.Here() == "alice wendy bob carol");
  CHECK(room.entries.back().at("change") == "arrives");
  CHECK(room.terminal.AllAsked());
}

TEST_CASE("simulated people are all here, and nobody comes or goes") {
  ceremony::script::Roster roster = *plan_fixture::InputsOf(Files()).roster;
  Attendance attendance;
  support::ScriptedTerminal terminal;
  RoomBook book{roster, attendance, terminal, [&](std::string_view type, json fields) {
                  fields["type"] = type;
                  return attendance.See(fields);
                }};
  Must(book.CallRoll());
  Must(book.RecordChange());
  CHECK(attendance.present().size() == 4);
}

TEST_CASE("somebody who is being appointed may leave, and is not offered to arrive") {
  Room room(Answers{{"room.change", "nobody"},
                    {"room.change", "Wendy (wendy) leaves"},
                    {"room.change/wendy", "no"},
                    {"room.change", "nobody else"}});
  room.roster.people[3].state = ceremony::script::PersonState::kTrained;
  Must(room.book.RecordChange());
  CHECK(room.terminal.transcript().find("Wendy") == std::string::npos);
  room.attendance.Arrive({"wendy", "Wendy"});
  Must(room.book.RecordChange());
  CHECK(room.Here().empty());
}
