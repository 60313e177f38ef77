#include "ceremony/run/history.h"

#include <doctest/doctest.h>

#include "ceremony/record/script_plan.h"

namespace {

using ceremony::run::History;
using nlohmann::json;

void See(History& history, const json& entry) {
  const auto seen = history.See(entry);
  REQUIRE_MESSAGE(seen.ok(), (seen.ok() ? "" : seen.error().message));
}

json Begin(const char* id) { return {{"type", "step"}, {"id", id}, {"phase", "begin"}}; }
json Intent(int call, const char* fn) {
  return {{"type", "intent"}, {"call", call}, {"fn", fn}, {"token", "hsm"}, {"objects", {"aa"}}};
}
json Done(int call, const char* rv, const char* spki, json objects) {
  return {{"type", "done"}, {"call", call}, {"rv", rv}, {"spki", spki}, {"objects", std::move(objects)}};
}

}  // namespace

TEST_CASE("a call without its done needs settling, one that is done and read back does not") {
  History history;
  See(history, Begin("generate"));
  See(history, Intent(1, "C_GenerateKeyPair"));
  CHECK(history.calls().at(0).NeedsSettling());
  See(history, Done(1, "CKR_OK", "c3BraQ==", {"aa", "bb", "cc"}));
  CHECK_FALSE(history.calls().at(0).NeedsSettling());
  const auto progress = history.ProgressOf("generate");
  REQUIRE(progress.FindCall("C_GenerateKeyPair", "hsm") != nullptr);
  CHECK(progress.FindCall("C_GenerateKeyPair", "hsm")->spki == "c3BraQ==");
}

TEST_CASE("a call that failed needs settling only when the token is not what it was") {
  History history;
  See(history, Begin("generate"));
  See(history, Intent(1, "C_GenerateKeyPair"));
  See(history, Done(1, "CKR_DEVICE_ERROR", "", {"aa"}));
  CHECK_FALSE(history.calls().at(0).NeedsSettling());
  See(history, Intent(2, "C_GenerateKeyPair"));
  See(history, Done(2, "CKR_DEVICE_ERROR", "", {"aa", "bb"}));
  CHECK(history.calls().at(1).NeedsSettling());
  CHECK(history.ProgressOf("generate").FindCall("C_GenerateKeyPair", "hsm") == nullptr);
}

TEST_CASE(
    "what initialises a token or sets a PIN shows in no inventory, and needs settling unless the token refused it") {
  History history;
  See(history, Begin("change"));
  int number = 0;
  for (const char* function : {"C_InitToken", "C_InitPIN", "C_SetPIN"}) {
    CAPTURE(function);
    const auto settles = [&](const char* rv) {
      See(history, Intent(++number, function));
      See(history, Done(number, rv, "", {"aa"}));
      return history.calls().back().NeedsSettling();
    };
    CHECK_FALSE(settles("CKR_OK"));
    CHECK(history.calls().back().ChangedToken());
    CHECK(settles("CKR_DEVICE_ERROR"));
    CHECK(history.calls().back().ChangedToken());
    CHECK_FALSE(settles("CKR_PIN_LEN_RANGE"));
    CHECK_FALSE(history.calls().back().ChangedToken());
  }
}

TEST_CASE("a generation that came back without a public key is never taken over") {
  History history;
  See(history, Begin("generate"));
  See(history, Intent(1, "C_GenerateKeyPair"));
  See(history, Done(1, "CKR_OK", "", {"aa", "bb"}));
  CHECK(history.calls().at(0).NeedsSettling());
}

TEST_CASE("settling names leftovers, and each stays one until an entry says that it is gone") {
  History history;
  See(history, Begin("generate"));
  See(history, Intent(1, "C_GenerateKeyPair"));
  See(history,
      {{"type", "observe"},
       {"what", "call-settled"},
       {"call", 1},
       {"token", "hsm"},
       {"leftovers", {{{"digest", "d1"}, {"name", "object one"}}, {{"digest", "d2"}, {"name", "object two"}}}}});
  CHECK_FALSE(history.calls().at(0).NeedsSettling());
  REQUIRE(history.leftovers().size() == 2);
  See(history, {{"type", "observe"}, {"what", "leftover-gone"}, {"token", "hsm"}, {"digest", "d1"}});
  REQUIRE(history.leftovers().size() == 1);
  CHECK(history.leftovers().at(0).name == "object two");
}

TEST_CASE("leftovers that look alike are as many as were found, and go one by one") {
  History history;
  See(history, Begin("generate"));
  See(history, Intent(1, "C_GenerateKeyPair"));
  See(history, Intent(2, "C_GenerateKeyPair"));
  const json alike = {{"digest", "d"}, {"name", "object that cannot be read"}};
  const auto settled = [&](int call, json leftovers) {
    See(history, {{"type", "observe"},
                  {"what", "call-settled"},
                  {"call", call},
                  {"token", "hsm"},
                  {"vanished", 1},
                  {"leftovers", std::move(leftovers)}});
  };
  settled(1, {alike, alike});
  REQUIRE(history.leftovers().size() == 2);
  CHECK(history.leftovers().at(0).vanished == 1);
  settled(2, {alike});
  CHECK(history.leftovers().size() == 2);
  See(history, {{"type", "observe"}, {"what", "leftover-gone"}, {"token", "other"}, {"digest", "d"}});
  CHECK(history.leftovers().size() == 2);
  // The one that was said to stay is the one that is left when the other is gone.
  See(history, {{"type", "deviation"}, {"rule", "SETTLE-KEEP-02"}, {"token", "hsm"}, {"digest", "d"}});
  See(history, {{"type", "observe"}, {"what", "leftover-gone"}, {"token", "hsm"}, {"digest", "d"}});
  REQUIRE(history.leftovers().size() == 1);
  CHECK(history.leftovers().at(0).kept_by == "SETTLE-KEEP-02");
}

TEST_CASE("where objects are too many to be named, a failed call is settled by the digest of the whole token") {
  History history;
  See(history, Begin("generate"));
  const auto intent = [](int call) {
    return json{{"type", "intent"}, {"call", call}, {"fn", "C_DestroyObject"}, {"token", "hsm"}, {"inventory", "i1"}};
  };
  const auto done = [](int call, const char* inventory) {
    return json{{"type", "done"}, {"call", call}, {"rv", "CKR_DEVICE_ERROR"}, {"inventory", inventory}};
  };
  See(history, intent(1));
  See(history, done(1, "i1"));
  CHECK_FALSE(history.calls().at(0).objects_named);
  CHECK_FALSE(history.calls().at(0).NeedsSettling());
  See(history, intent(2));
  See(history, done(2, "i2"));
  CHECK(history.calls().at(1).NeedsSettling());
}

TEST_CASE("a step that failed is begun again, one that ended is over, and its effects are known") {
  History history;
  See(history, Begin("a"));
  See(history, {{"type", "step"}, {"id", "a"}, {"phase", "failed"}});
  CHECK_FALSE(history.StepOf("a").over());
  See(history, Begin("a"));
  CHECK(history.StepOf("a").attempts == 2);
  See(history, {{"type", "step"},
                {"id", "a"},
                {"phase", "end"},
                {"effects", {{{"effect", "document-lodged"}, {"name", "n"}, {"kind", "k"}, {"sha256", "s"}}}}});
  CHECK(history.StepOf("a").over());
  CHECK(history.StepsOver() == 1);
  CHECK(history.effects().size() == 1);
}

TEST_CASE("a step that was left out is over, and is none of those that ended") {
  History history;
  See(history, Begin("a"));
  See(history, {{"type", "step"}, {"id", "a"}, {"phase", "end"}});
  See(history, {{"type", "step"}, {"id", "b"}, {"phase", "skipped"}});
  CHECK(history.StepOf("b").over());
  CHECK(history.StepsOver() == 2);
  CHECK(history.StepsEnded() == 1);
}

TEST_CASE("the opening is met when m different people have cosigned its request") {
  History history;
  See(history, {{"type", "open"}});
  See(history, {{"type", "request"}, {"step", "opening"}, {"quorum", {{"name", "custodians"}, {"m", 2}, {"n", 3}}}});
  See(history, {{"type", "cosign"}, {"person", "alice"}, {"request", 1}});
  See(history, {{"type", "cosign"}, {"person", "alice"}, {"request", 1}});
  CHECK_FALSE(history.FindRequest("opening")->met());
  See(history, {{"type", "cosign"}, {"person", "bob"}, {"request", 7}});
  CHECK_FALSE(history.FindRequest("opening")->met());
  See(history, {{"type", "cosign"}, {"person", "bob"}, {"request", 1}});
  CHECK(history.FindRequest("opening")->met());
}

TEST_CASE("a request that was declined is over, whoever signs it afterwards; the next one starts from nothing") {
  History history;
  const json request = {
      {"type", "request"}, {"step", "generate"}, {"quorum", {{"name", "custodians"}, {"m", 1}, {"n", 3}}}};
  See(history, {{"type", "open"}});
  See(history, request);
  See(history, {{"type", "refusal"}, {"rule", "QUORUM-DENIED-01"}, {"request", 1}});
  See(history, {{"type", "cosign"}, {"person", "bob"}, {"request", 1}});
  CHECK_FALSE(history.FindRequest("generate")->met());
  See(history, request);
  CHECK_FALSE(history.FindRequest("generate")->met());
  See(history, {{"type", "cosign"}, {"person", "bob"}, {"request", 4}});
  CHECK(history.FindRequest("generate")->met());
  CHECK(history.FindRequest("verify") == nullptr);
}

TEST_CASE("a request of a section knows the steps that it is for") {
  History history;
  See(history, {{"type", "request"},
                {"step", "section:root"},
                {"steps", {"generate", "commission"}},
                {"quorum", {{"name", "custodians"}, {"m", 2}, {"n", 3}}}});
  CHECK(history.FindRequest(ceremony::record::SectionRequestName("root"))->steps ==
        std::set<std::string>{"commission", "generate"});
}

TEST_CASE("who departs no longer counts, and a done that nobody began is corrupt") {
  History history;
  See(history, {{"type", "attend"},
                {"person", "alice"},
                {"name", "Alice"},
                {"roles", {"custodian"}},
                {"presence", "in-person"}});
  CHECK(history.attendance().WithRole("custodian").size() == 1);
  See(history, {{"type", "depart"}, {"person", "alice"}});
  CHECK(history.attendance().WithRole("custodian").empty());
  CHECK_FALSE(history.See(Done(9, "CKR_OK", "", json::array())).ok());
}
