// The key that signs a record, when a step logs out of the token that holds it.
#include "ceremony/run/log_key.h"

#include <doctest/doctest.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "ceremony/record/posix_storage.h"
#include "ceremony/run/ceremony.h"
#include "ceremony/run/start.h"
#include "ceremony/run/step_run.h"
#include "hsm/base/encoding.h"
#include "tests/support/fake_token.h"
#include "tests/support/results.h"
#include "tests/support/scripted_terminal.h"
#include "tests/unit/record/temporary_folder.h"
#include "tests/unit/record/test_keys.h"

namespace {

using namespace ceremony;
using support::Bad;
using support::Good;

class OnePin final : public run::PinKeeper {
 public:
  base::Result<base::SecretBytes> UserPin(const std::string&, const std::string&) override {
    ++asked;
    return base::SecretBytes::CopyOf(base::AsBytes("1234567"));
  }
  base::Result<base::SecretBytes> SecurityOfficerPin(const std::string&, const std::string&) override { return None(); }
  base::Result<steps::NewPins> NewPins(const std::string&, const std::string&) override { return None(); }

  int asked = 0;

 private:
  static base::Error None() { return base::MakeError(base::ErrorCode::kInternal, "no such PIN here"); }
};

class Nobody final : public quorum::Credentials {
 public:
  base::Result<quorum::Approval> Approve(const script::Person& person, const quorum::ApprovalRequest&) override {
    return base::MakeError(base::ErrorCode::kNotFound, person.id);
  }
  base::Result<std::vector<quorum::ShamirShare>> OpenShares(const script::Person& person,
                                                            const quorum::ShareUse&) override {
    return base::MakeError(base::ErrorCode::kNotFound, person.id);
  }
  bool IsSimulated(const script::Person&) const override { return false; }
};

// A ceremony with an open record, whose log key is on a token in memory.
struct Room {
  Room() {
    device->AddToken("0001", "record", "12345678", "1234567");
    const std::string module = folder.path() + "/module.so";
    std::ofstream(module) << "a module";
    inputs.script.id = "small";
    inputs.script.estate = "smki.example";
    inputs.script.file.name = "small.ceremony.json";
    inputs.script.policy_path = "small.policy.json";
    inputs.roster.emplace();
    inputs.roster->estate = "smki.example";
    inputs.roster->quorums = {{"custodians", 1, script::Role::kCustodian}};
    script::Person person;
    person.id = "alice";
    person.roles = {script::Role::kCustodian};
    person.state = script::PersonState::kActive;
    person.sign_key =
        base::Base64Encode(record::TestSigner("smki.example/alice", record::kTestKeys[0])->key().public_key().spki());
    inputs.roster->people.push_back(person);
    script::TokenBinding bound;
    bound.name = "record-hsm";
    bound.module = module;
    bound.label = "record";
    bound.serial = "0001";
    inputs.binding.emplace();
    inputs.binding->tokens.push_back(bound);
    inputs.binding->record_token = "record-hsm";
    world.describe_program = []() -> base::Result<nlohmann::json> { return nlohmann::json::object(); };
    ceremony.emplace(world, inputs, estate::Estate{}, "0001-small");
    Good(run::OpenRecord(*ceremony, {}));
  }

  std::shared_ptr<support::FakeDevice> device = std::make_shared<support::FakeDevice>();
  record::TemporaryFolder folder;
  base::SystemClock clock;
  support::ScriptedTerminal terminal;
  Nobody credentials;
  OnePin pins;
  std::unique_ptr<record::Storage> storage = Good(record::PosixStorage::Open(folder.path()));
  run::World world{terminal,
                   clock,
                   *storage,
                   pins,
                   credentials,
                   [this](const hsm::ModuleOptions& options, std::shared_ptr<hsm::CallObserver> observer) {
                     return hsm::Module::Wrap(std::make_unique<support::FakeCryptoki>(device), options,
                                              std::move(observer));
                   },
                   [] { return false; }};
  script::Inputs inputs;
  std::optional<run::Ceremony> ceremony;
};

}  // namespace

TEST_CASE("a record is signed after a step has logged out of the token that holds its key") {
  Room room;
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

TEST_CASE("a key that is gone from its token when a step has logged out is named, and signs nothing") {
  Room room;
  Good(room.ceremony->LogOutOf("record-hsm"));
  room.device->slots[0].objects.clear();
  const base::Error gone = Bad(room.ceremony->Checkpoint());
  CHECK(gone.rule == "KEY-FIND-01");
  CHECK(gone.message.starts_with("the key that signs this record: token \"record\" (serial 0001) does not have key "));
}

TEST_CASE("SECRET-MEMORY-01: a ceremony does not begin where its secrets would not be kept, a rehearsal says so") {
  Room room;
  room.ceremony.reset();
  room.world.check_secret_memory = [] { return base::Refusal("SECRET-MEMORY-01", "no locked memory", "raise it"); };
  std::string folder;
  room.inputs.binding->environment = script::Environment::kProduction;
  CHECK(Bad(run::Begin(room.world, room.folder.path(), room.inputs, folder)).rule == "SECRET-MEMORY-01");
  CHECK(Bad(run::Resume(room.world, room.folder.path(), room.inputs, "0001-small")).rule == "SECRET-MEMORY-01");
  CHECK(room.terminal.transcript().find("SECRET-MEMORY-01") == std::string::npos);
  room.inputs.binding->environment = script::Environment::kRehearsal;
  CHECK(Bad(run::Begin(room.world, room.folder.path(), room.inputs, folder)).rule != "SECRET-MEMORY-01");
  CHECK(room.terminal.transcript().find("[SECRET-MEMORY-01] no locked memory. A rehearsal goes on; a") !=
        std::string::npos);
}
