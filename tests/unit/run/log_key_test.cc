// The key that signs a record, when a step logs out of the token that holds it.
#include "ceremony/run/log_key.h"

#include <doctest/doctest.h>

#include <string>

#include "ceremony/run/start.h"
#include "ceremony/run/step_run.h"
#include "hsm/base/digest.h"
#include "hsm/inventory.h"
#include "hsm/keygen.h"
#include "tests/unit/run/room.h"

using namespace ceremony;
using run::Room;
using support::Bad;
using support::Good;

TEST_CASE("a record is signed after a step has logged out of the token that holds its key") {
  Room room;
  room.Open();
  const auto before = Good(room.ceremony->Checkpoint());
  script::Step step;
  step.id = "look";
  run::StepRun run(*room.ceremony, step, run::StepRun::Asks::kNot);
  Good(run.EndSession("record-hsm"));
  const auto after = Good(room.ceremony->Checkpoint());
  CHECK(after.size > before.size);
  CHECK(room.pins.asked == 2);
  Good(run.RestartModule("record-hsm"));
  Good(room.ceremony->Checkpoint());
  CHECK(room.pins.asked == 3);
}

TEST_CASE("an object is of the log key by its public key; by its CKA_ID where that alone can say so") {
  Room room;
  room.Open();
  script::Step step;
  step.id = "look";
  const run::StepRun run(*room.ceremony, step, run::StepRun::Asks::kNot);
  const hsm::Inventory inventory = Good(hsm::TakeInventory(*Good(room.ceremony->tokens().Session("record-hsm"))));
  REQUIRE(inventory.items.size() == 2);
  for (hsm::InventoryItem item : inventory.items) {
    CAPTURE(item.line);
    CHECK(run.IsLogKey("record-hsm", item));
    const bool is_private = item.object.object_class() == CK_OBJECT_CLASS{CKO_PRIVATE_KEY};
    // Another key under the same CKA_ID.
    item.spki_sha256 = base::Sha256Hex("another key");
    CHECK_FALSE(run.IsLogKey("record-hsm", item));
    item.spki_sha256.clear();
    CHECK(run.IsLogKey("record-hsm", item) == is_private);
    CHECK_FALSE(run.IsLogKey("root-hsm", item));
  }
}

TEST_CASE("a record is signed after a call on the token that holds its key was settled by its flags") {
  Room room;
  room.Open();
  Good(room.ceremony->Append(record::EntryType::kIntent,
                             {{"call", 7}, {"fn", "C_SetPIN"}, {"token", "record-hsm"}, {"inventory", ""}}));
  Good(run::SettleCalls(*room.ceremony));
  CHECK(room.Entries("observe").back().at("what") == "call-settled");
  Good(room.ceremony->Checkpoint());
  CHECK(room.pins.asked == 2);
}

namespace {

nlohmann::json Destroy(Room& room) {
  const nlohmann::json& open = room.ceremony->history().open();
  const nlohmann::json& made = open.at("log_key_attributes");
  const auto key = Good(base::PublicKey::FromSpki(Good(base::Base64Decode(open.at("log_key").get<std::string>()))));
  return Good(run::DestroyLogKey(*Good(room.ceremony->tokens().Session("record-hsm")), key, made.at("label"),
                                 made.at("object_id"), "2026-11-29T10:00:00.000000Z"));
}

}  // namespace

TEST_CASE("the log key is destroyed by its public key; another key that was given its CKA_ID is left alone") {
  Room room;
  room.Open();
  hsm::Session& session = *Good(room.ceremony->tokens().Session("record-hsm"));
  // Of a private key that shows no public half its CKA_ID is all that tells.
  room.device->slots[0].habits.public_key_info = support::FakeHabits::PublicInfo::kPresent;
  hsm::KeyPairSpec spec;
  spec.algorithm = base::KeyAlgorithm::kEcP256;
  spec.label = "stranger";
  spec.id = {1};
  Good(hsm::GenerateKeyPair(session, spec).key);
  const std::string id = room.ceremony->history().open().at("log_key_attributes").at("object_id");
  for (auto& [number, object] : room.device->slots[0].objects) object.attributes[CKA_ID] = Good(base::HexDecode(id));
  const nlohmann::json evidence = Destroy(room);
  CHECK(evidence.at("objects").size() == 2);
  const hsm::Inventory left = Good(hsm::TakeInventory(session));
  REQUIRE(left.items.size() == 2);
  for (const hsm::InventoryItem& item : left.items) CHECK(item.object.label() == "stranger");
  // Repeating it is harmless.
  CHECK(Destroy(room).at("objects").empty());
  CHECK(Good(hsm::TakeInventory(session)).items.size() == 2);
}

TEST_CASE("a log key that its token does not destroy is not told as gone") {
  Room room;
  room.Open();
  room.device->slots[0].habits.destroy_is_a_lie = true;
  CHECK(Bad(run::CloseRecord(*room.ceremony)).rule == "OBJECT-DESTROY-01");
  CHECK(room.terminal.transcript().find("is destroyed, and shown to be absent") == std::string::npos);
}

TEST_CASE("a key that is gone from its token when a step has logged out is named, and signs nothing") {
  Room room;
  room.Open();
  Good(room.ceremony->LogOutOf("record-hsm"));
  room.device->slots[0].objects.clear();
  const base::Error gone = Bad(room.ceremony->Checkpoint());
  CHECK(gone.rule == "KEY-FIND-01");
  CHECK(gone.message.starts_with("the key that signs this record: token \"record\" (serial 0001) does not have key "));
}

TEST_CASE("SECRET-MEMORY-01: a ceremony does not begin where its secrets would not be kept, a rehearsal says so") {
  Room room;
  room.Open();
  room.ceremony.reset();
  room.world.check_secret_memory = [] { return base::Refusal("SECRET-MEMORY-01", "no locked memory", "raise it"); };
  std::string folder;
  room.inputs.binding->environment = script::Environment::kProduction;
  CHECK(Bad(run::Begin(room.world, room.folder.path(), room.inputs, folder)).rule == "SECRET-MEMORY-01");
  CHECK(Bad(run::Resume(room.world, room.folder.path(), room.inputs, "0001-small")).rule == "SECRET-MEMORY-01");
  CHECK(room.terminal.transcript().find("SECRET-MEMORY-01") == std::string::npos);
  room.inputs.binding->environment = script::Environment::kRehearsal;
  room.world.has_stand_ins = false;  // passphrases of people who use them in production, too
  CHECK(Bad(run::Begin(room.world, room.folder.path(), room.inputs, folder)).rule == "SECRET-MEMORY-01");
  room.world.has_stand_ins = true;
  CHECK(Bad(run::Begin(room.world, room.folder.path(), room.inputs, folder)).rule != "SECRET-MEMORY-01");
  CHECK(room.terminal.transcript().find("[SECRET-MEMORY-01] no locked memory. A rehearsal goes on; a") !=
        std::string::npos);
}
