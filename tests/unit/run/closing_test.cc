// How a record ends: what is asked before, what stands in it when its ceremony was called off.
#include <doctest/doctest.h>

#include <string>

#include "tests/unit/run/room.h"

using namespace ceremony;
using nlohmann::json;
using run::Room;
using support::Bad;
using support::Good;

namespace {

// The script has two steps: "look" is over, "make" was begun and has failed after its call.
void HoldHalf(Room& room) {
  run::Ceremony& ceremony = *room.ceremony;
  Good(ceremony.Append(record::EntryType::kStep, {{"id", "look"}, {"do", "token.verify"}, {"phase", "skipped"}}));
  Good(ceremony.Append(record::EntryType::kStep,
                       {{"id", "make"}, {"do", "key.generate"}, {"phase", "begin"}, {"parameters", json::object()}}));
  const json call = {{"call", 7},       {"fn", "C_GenerateKeyPair"},  {"token", "root-hsm"},
                     {"mechanism", ""}, {"template", json::object()}, {"object_id", "01ab"}};
  json before = call;
  before["inventory"] = std::string(64, 'a');
  json after = call;
  after["inventory"] = std::string(64, 'b');
  after["rv"] = "CKR_OK";
  after["attributes"] = json::object();
  after["spki"] = "AAAA";
  Good(ceremony.Append(record::EntryType::kIntent, before));
  Good(ceremony.Append(record::EntryType::kDone, after));
  Good(ceremony.Append(record::EntryType::kStep,
                       {{"id", "make"}, {"do", "key.generate"}, {"phase", "failed"}, {"error", json::object()}}));
}

script::Step StepOf(const char* id, const char* kind, const char* title) {
  script::Step step;
  step.id = id;
  step.kind = kind;
  step.title = title;
  return step;
}

void AddScript(Room& room) {
  script::Section section;
  section.id = "all";
  section.steps = {StepOf("look", "token.verify", "Look"), StepOf("make", "key.generate", "Make the key"),
                   StepOf("sign", "cert.self-sign", "Sign it")};
  room.inputs.script.sections = {section};
  room.ceremony.emplace(room.world, room.inputs, estate::Estate{}, "0001-small");
  for (const script::Person& person : room.inputs.roster->people) room.Arrive(person.id);
}

}  // namespace

TEST_CASE("a ceremony that is called off names each step that was not done, and what one has left on a token") {
  Room room;
  AddScript(room);
  room.Open();
  HoldHalf(room);
  Good(run::CloseRecord(*room.ceremony, run::CalledOff{"the seal was broken"}));
  CHECK(room.ceremony->history().called_off());
  const json close = room.Entries("close").at(0);
  CHECK(close.at("called_off") == json{{"reason", "the seal was broken"}});
  const json& items = close.at("open_items");
  REQUIRE(items.size() == 3);
  CHECK(items[0] == json{{"what", "the step was not done"}, {"step", "make"}, {"title", "Make the key"}});
  CHECK(items[1].at("call") == 7);
  CHECK(items[1].at("object_id") == "01ab");
  CHECK(items[2].at("step") == "sign");
  CHECK(room.credentials.asked == run::Strings{"alice", "bob", "alice", "bob"});  // final checkpoint, addendum
  CHECK(room.device->slots[0].objects.empty());
  // What is signed last is on the screen, as it is on a custodian's own machine: how many files, and the digest.
  const std::string& shown = room.terminal.transcript();
  CHECK(shown.find("What is signed last is the list of the record's") != std::string::npos);
  CHECK(shown.find("the text of the addendum (SHA-256)") != std::string::npos);
  CHECK(shown.find("Do you approve the list of this record's files") != std::string::npos);
}

namespace {

constexpr const char* kSet = "00112233445566778899aabbccddeeff";

void Begin(Room& room, const char* id, const char* kind) {
  Good(room.ceremony->Append(record::EntryType::kStep,
                             {{"id", id}, {"do", kind}, {"phase", "begin"}, {"parameters", json::object()}}));
}

// One call on the record token, which answers with `rv`; empty: the program ended within the call.
void Call(Room& room, int number, const char* function, const std::string& rv) {
  json call = {{"call", number}, {"fn", function}, {"token", "record-hsm"}, {"inventory", std::string(64, 'a')}};
  Good(room.ceremony->Append(record::EntryType::kIntent, call));
  if (rv.empty()) return;
  call["rv"] = rv;
  Good(room.ceremony->Append(record::EntryType::kDone, call));
}

// The step "make" shares the PINs of the record token anew; everybody has confirmed.
void Reshare(Room& room) {
  Begin(room, "make", "quorum.reshare");
  const estate::SharesIssued issued{"record-hsm", kSet, 2, "custodians", 1, {{"alice", "c1", "c2"}}};
  Good(room.ceremony->Append(record::EntryType::kObserve,
                             {{"what", "share-set-sealed"}, {"step", "make"}, {"shares", estate::ToJson(issued)}}));
  Good(room.ceremony->Append(
      record::EntryType::kObserve,
      {{"what", "share-confirmed"}, {"token", "record-hsm"}, {"set", kSet}, {"person", "alice"}}));
}

}  // namespace

TEST_CASE("CALL-OFF-03: nothing is called off while a token may have PINs that only the end of the step makes known") {
  for (const char* rv : {"CKR_OK", "CKR_DEVICE_ERROR", ""}) {
    CAPTURE(rv);
    Room room;
    AddScript(room);
    room.Open();
    Reshare(room);
    Call(room, 7, "C_SetPIN", rv);
    const base::Error refused = Bad(run::AskToCallOff(*room.ceremony));
    CHECK(refused.rule == "CALL-OFF-03");
    CHECK(refused.message == std::string("token record-hsm may open with the new shares (set ") + kSet +
                                 ") already, and the archive would go on with the old ones");
    // A token that nobody can reach cannot be finished: it becomes an open item.
    Good(room.ceremony->LogOutOf("record-hsm"));
    room.device->slots[0].pulled = true;
    Good(run::AskToCallOff(*room.ceremony));
  }
}

TEST_CASE("a reshare whose PIN the token has refused to change can be called off") {
  Room room;
  AddScript(room);
  room.Open();
  Reshare(room);
  Call(room, 7, "C_SetPIN", "CKR_PIN_LEN_RANGE");
  Good(run::AskToCallOff(*room.ceremony));
  Good(run::CloseRecord(*room.ceremony, run::CalledOff{"this token takes no such PIN"}));
  const json close = room.Entries("close").at(0);
  for (const json& item : close.at("open_items")) CHECK_FALSE(item.contains("call"));
}

TEST_CASE("a token that a step has wiped, or given a PIN, is an open item, also where nobody knows whether it worked") {
  Room room;
  AddScript(room);
  room.Open();
  Reshare(room);
  Call(room, 7, "C_InitToken", "CKR_OK");
  Call(room, 8, "C_InitPIN", "CKR_DEVICE_ERROR");
  Good(run::SettleWhatAnswers(*room.ceremony));
  Good(run::CloseRecord(*room.ceremony, run::CalledOff{"the token died"}));
  std::vector<std::string> changed;
  const json close = room.Entries("close").at(0);
  for (const json& item : close.at("open_items")) {
    if (!item.contains("call")) continue;
    CHECK(item.at("step") == "make");
    CHECK(item.at("set") == kSet);
    changed.push_back(item.at("fn"));
  }
  CHECK(changed == std::vector<std::string>{"C_InitToken", "C_InitPIN"});
}

TEST_CASE("nobody calls off a ceremony from an empty room") {
  Room room;
  AddScript(room);
  room.Open();
  for (const char* id : {"alice", "bob", "carol"}) room.Leave(id);
  CHECK(Bad(run::AskToCallOff(*room.ceremony)).rule == "CALL-OFF-01");
  CHECK(room.terminal.prompts() == 0);
}

TEST_CASE("what happened otherwise is asked before the close, as often as there is something to add") {
  Room room(run::Answers{{"close/differed", "add a sentence"},
                         {"close/differed/words", "at 10:40 a guard came in"},
                         {"close/differed", "add a sentence"},
                         {"close/differed/words", "back"},  // a second thought
                         {"close/differed", "add a sentence"},
                         {"close/differed/words", "the lights went out"},
                         {"close/differed", "nothing to add"},
                         {"approve/alice", "decline"},
                         {"approve/alice/reason", "wait for the lights"}});
  room.Open();
  CHECK(Bad(run::CloseRecord(*room.ceremony)).rule == "QUORUM-DENIED-01");
  CHECK(room.terminal.AllAsked());
  const auto deviations = room.Entries("deviation");
  REQUIRE(deviations.size() == 2);
  CHECK(deviations[0].at("text") == "at 10:40 a guard came in");
  CHECK(deviations[1].at("what") == "told before the close");
  CHECK(room.Entries("close").empty());
}

TEST_CASE("memory that the kernel refused to lock while a ceremony went on is a deviation at its end") {
  Room room;
  room.inputs.binding->environment = script::Environment::kProduction;
  room.ceremony.emplace(room.world, room.inputs, estate::Estate{}, "0001-small");
  for (const script::Person& person : room.inputs.roster->people) room.Arrive(person.id);
  room.Open();
  room.world.check_secret_memory = [] { return base::Refusal("SECRET-MEMORY-01", "no locked memory", "raise it"); };
  Good(run::CloseRecord(*room.ceremony));
  const auto deviations = room.Entries("deviation");
  REQUIRE(deviations.size() == 1);
  CHECK(deviations[0].at("rule") == "SECRET-MEMORY-01");
  CHECK(room.terminal.transcript().find("no locked memory.") != std::string::npos);
}
