#include "ceremony/run/call_journal.h"

#include <doctest/doctest.h>

#include "hsm/base/digest.h"
#include "tests/unit/run/room.h"

using namespace ceremony;
using nlohmann::json;
using run::Room;
using support::Good;

namespace {

hsm::ConsequentialCall Initialising(bool wipes) {
  hsm::ConsequentialCall call;
  call.number = 7;
  call.function = hsm::Function::kInitToken;
  call.token_label = "record";
  call.token_serial = "0001";
  call.wipes = wipes;
  return call;
}

json Entry(Room& room, const hsm::ConsequentialCall& call, CK_RV rv) {
  hsm::CallOutcome outcome;
  outcome.rv = rv;
  Good(room.ceremony->journal().After(call, outcome));
  return room.Entries("done").back();
}

}  // namespace

TEST_CASE("what is on a token that is wiped is not told before, and not when it was not wiped") {
  Room room;
  room.Open();
  const hsm::ConsequentialCall call = Initialising(true);
  Good(room.ceremony->journal().Before(call));
  const json intent = room.Entries("intent").back();
  CHECK(intent.at("inventory") == "");
  CHECK_FALSE(intent.contains("objects"));
  const json failed = Entry(room, call, CKR_DEVICE_ERROR);
  CHECK(failed.at("inventory") == "");
  CHECK_FALSE(failed.contains("objects"));
  const json done = Entry(room, call, CKR_OK);
  CHECK(done.at("inventory") == base::Sha256Hex(""));
  CHECK(done.at("objects") == json::array());
}

TEST_CASE("a blank slot holds nothing, before C_InitToken and after") {
  Room room;
  room.Open();
  const hsm::ConsequentialCall call = Initialising(false);
  Good(room.ceremony->journal().Before(call));
  CHECK(room.Entries("intent").back().at("inventory") == base::Sha256Hex(""));
  CHECK(room.Entries("intent").back().at("objects") == json::array());
  CHECK(Entry(room, call, CKR_DEVICE_ERROR).at("inventory") == base::Sha256Hex(""));
}
