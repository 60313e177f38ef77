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
