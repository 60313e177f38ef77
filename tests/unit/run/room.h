// A room for tests of the runner: alice, bob and carol, custodians who sign by themselves and two of whom are a quorum;
// a record token in memory; a clock that is set by hand; a terminal that answers what it is told.
#ifndef TESTS_UNIT_RUN_ROOM_H_
#define TESTS_UNIT_RUN_ROOM_H_

#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ceremony/record/posix_storage.h"
#include "ceremony/run/ceremony.h"
#include "hsm/base/encoding.h"
#include "tests/support/fake_token.h"
#include "tests/support/results.h"
#include "tests/support/scripted_terminal.h"
#include "tests/unit/record/temporary_folder.h"
#include "tests/unit/record/test_keys.h"

namespace ceremony::run {

using Strings = std::vector<std::string>;
using Answers = std::vector<support::ScriptedTerminal::Answer>;

class HandClock final : public base::Clock {
 public:
  std::int64_t UtcMicros() override { return micros; }
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

// The user PIN of the record token, counted.
class OnePin final : public PinKeeper {
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

struct Room {
  // Without `answers` every question is answered as simulated people do. `minutes`: how long a signature takes.
  explicit Room(const std::optional<Answers>& answers = std::nullopt, std::int64_t minutes = 1)
      : terminal(answers ? support::ScriptedTerminal(*answers) : support::ScriptedTerminal()),
        credentials(clock, minutes) {
    device->AddToken("0001", "record", "12345678", "1234567");
    const std::string module = folder.path() + "/module.so";
    std::ofstream(module) << "a module";
    inputs.script.id = "small";
    inputs.script.estate = "smki.example";
    inputs.script.file.name = "small.ceremony.json";
    inputs.script.policy_path = "small.policy.json";
    inputs.policy.quorum.approval_minutes = 10;
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
    for (const script::Person& person : inputs.roster->people) Arrive(person.id);
  }

  // Open makes the record, and with it its key on the token.
  void Open() { support::Good(OpenRecord(*ceremony, {})); }
  void Arrive(const std::string& id) { ceremony->history().attendance().Arrive({id, id, {"custodian"}}); }
  void Leave(const std::string& id) { support::Good(ceremony->history().attendance().Depart(id)); }
  // Entries are those of the log on the disk, of one type.
  std::vector<nlohmann::json> Entries(const std::string& type) const {
    std::vector<nlohmann::json> found;
    std::ifstream log(folder / "0001-small/log.jsonl");
    for (std::string line; std::getline(log, line);) {
      auto entry = nlohmann::json::parse(line);
      if (entry.at("type") == type) found.push_back(std::move(entry));
    }
    return found;
  }

  std::shared_ptr<support::FakeDevice> device = std::make_shared<support::FakeDevice>();
  record::TemporaryFolder folder;
  HandClock clock;
  support::ScriptedTerminal terminal;
  Signers credentials;
  OnePin pins;
  std::unique_ptr<record::Storage> storage = support::Good(record::PosixStorage::Open(folder.path()));
  World world{terminal,
              clock,
              *storage,
              pins,
              credentials,
              [this](const hsm::ModuleOptions& options, std::shared_ptr<hsm::CallObserver> observer) {
                return hsm::Module::Wrap(std::make_unique<support::FakeCryptoki>(device), options, std::move(observer));
              },
              [] { return false; }};
  script::Inputs inputs;
  std::optional<Ceremony> ceremony;
};

}  // namespace ceremony::run

#endif  // TESTS_UNIT_RUN_ROOM_H_
