// StepBench runs single steps of the shipped root ceremony on a token in memory: it is the StepContext of a test, and
// writes down whatever a step tells the record, the quorum and the estate.
#ifndef TESTS_UNIT_STEPS_STEP_BENCH_H_
#define TESTS_UNIT_STEPS_STEP_BENCH_H_

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ceremony/steps/catalogue.h"
#include "ceremony/steps/step_context.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/keygen.h"
#include "hsm/login.h"
#include "hsm/lookup.h"
#include "tests/support/fake_token.h"
#include "tests/support/listening_observer.h"
#include "tests/support/results.h"
#include "tests/support/scripted_terminal.h"
#include "tests/support/softhsm.h"

namespace step_bench {

using namespace ceremony;
using nlohmann::json;
using support::Bad;
using support::Good;

// FixedClock stands still until a test moves it.
class FixedClock final : public base::Clock {
 public:
  std::int64_t UtcMicros() override { return utc_micros; }
  std::int64_t BootMicros() override { return 1; }

  std::int64_t utc_micros = 1'790'000'000'000'000;  // 2026-09-21T14:13:20Z
};

struct Approval {
  std::string statement;
  json subject;
  std::size_t calls_before;  // consequential calls that had been made when it was asked for
};

class StepBench final : public steps::StepContext {
 public:
  static constexpr const char* kToken = "root-hsm";
  static constexpr const char* kSerial = "serial-1";

  explicit StepBench(bool commissioned, const std::string& script = "smki-root-oca")
      : inputs_(Good(script::ReadInputs(std::string(SCRIPTS_FOLDER) + "/" + script + ".ceremony.json", "", "",
                                        steps::Catalogue()))) {
    if (commissioned) {
      device->AddToken(kSerial, kToken, support::kSoPin, support::kUserPin);
      Good(estate_.Apply(estate::TokenCommissioned{kToken, kToken, kSerial, "Fake HSM Works", "Fake Mk I", "1.7",
                                                   "live", "organisation"},
                         {"0001-a", 1, ""}));
    } else {
      device->AddSlot(kSerial);
    }
    module = Good(hsm::Module::Wrap(std::make_unique<support::FakeCryptoki>(device),
                                    {.path = "fake", .environment = {}, .init_args = {}}, observer));
  }

  // Change sets a field of every step of that kind.
  void Change(const std::string& kind, const std::string& field, const json& value) {
    script::LoadedFile file = inputs_.script.file;
    json text = json::parse(file.bytes);
    for (json& section : text["sections"]) {
      for (json& step : section["steps"]) {
        if (step["do"] == kind) step[field] = value;
      }
    }
    file.bytes = text.dump();
    file.sha256 = base::Sha256Hex(file.bytes);
    inputs_.script = Good(script::ParseScript(std::move(file), steps::Catalogue()));
  }
  // Run runs the first step of that kind that the script has.
  base::Result<void> Run(const std::string& kind) {
    for (const script::Section& section : inputs_.script.sections) {
      for (const script::Step& step : section.steps) {
        if (step.kind == kind) return steps::Catalogue().Find(kind)->Run(step, *this);
      }
    }
    FAIL("the script has no step " << kind);
    return {};
  }

  // RunWith runs a step that the script does not have.
  base::Result<void> RunWith(const std::string& kind, json fields) {
    script::Step step;
    step.id = "it";
    step.kind = kind;
    step.quorum = "custodians";
    step.fields = script::StepValues(std::move(fields));
    return steps::Catalogue().Find(kind)->Run(step, *this);
  }
  // Cut has the step that runs next go on where an attempt has ended that left these entries and artefacts.
  void Cut() {
    done_before.resumed = true;
    for (const json& entry : entries) {
      if (entry["type"] == "observe")
        done_before.observations.push_back({entry["what"], entry.value("token", ""), entry.value("key", "")});
    }
    for (const auto& [name, bytes] : artefacts) done_before.artefacts.push_back({name, base::Sha256Hex(bytes), ""});
    entries.clear();
    approvals.clear();
  }

  const script::Inputs& inputs() const override { return inputs_; }
  script::Inputs& wanted() { return inputs_; }
  const estate::Estate& estate() const override { return estate_; }
  const steps::Progress& progress() const override { return done_before; }
  quorum::Attendance& attendance() override { return attendance_; }
  room::Terminal& terminal() override { return people; }
  base::Clock& clock() override { return time; }
  base::Result<std::string> Ask(const std::string&, room::Question question) override { return people.Ask(question); }
  base::Result<void> Approve(const std::string& statement, const json& subject) override {
    approvals.push_back({statement, subject, observer->after.size()});
    if (declines) return base::MakeError(base::ErrorCode::kNoQuorum, "the quorum said no");
    return {};
  }
  base::Result<void> ApproveWithout(const std::string&, const std::string& statement, const json& subject) override {
    return Approve(statement, subject);
  }
  base::Result<void> ProveKeys(const script::Person&) override { return {}; }
  base::Result<std::uint64_t> Record(std::string_view type, json fields) override {
    fields["type"] = type;
    entries.push_back(std::move(fields));
    return entries.size();
  }
  base::Result<void> WriteArtefact(const std::string& name, const std::string&, base::ByteView bytes) override {
    artefacts[name] = base::ToBytes(bytes);
    return {};
  }
  base::Result<base::Bytes> ReadArtefact(const std::string& name) override { return artefacts.at(name); }
  base::Result<base::Bytes> ReadArchived(const estate::Provenance&, const std::string& artefact,
                                         const std::string&) override {
    return ReadArtefact(artefact);
  }
  base::Result<void> Achieve(const estate::Effect& effect) override {
    achieved.push_back(estate::ToJson(effect));
    return estate_.Apply(effect, {"0002-b", 7, ""});
  }
  base::Result<hsm::Session*> Session(const std::string&) override {
    if (!login_) {
      KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> token, LocateToken(kToken));
      login_.emplace(support::SoftHsm::Login(token));
    }
    return &login_->session();
  }
  base::Result<std::shared_ptr<hsm::Token>> LocateToken(const std::string&) override {
    return hsm::Token::Locate(module, kToken, "");
  }
  base::Result<steps::BlankToken> LocateBlankToken(const std::string&) override {
    KC_ASSIGN_OR_RETURN(const std::vector<hsm::TokenInfo> free, module->ListFreeSlots());
    if (free.empty()) return base::Refusal("TOKEN-BLANK-01", "no uninitialised token", "plug one in");
    return steps::BlankToken{module, free.front(), kToken};
  }
  void AdoptToken(const std::string&, std::shared_ptr<hsm::Token>) override { ++adopted; }
  bool IsLogKey(const std::string&, const hsm::InventoryItem& item) const override {
    return item.object.label() == "keyceremony log";
  }
  base::Result<steps::NewPins> ChooseNewPins(const std::string&, const std::string&) override {
    ++pins_chosen;
    steps::NewPins pins;
    pins.security_officer = support::Pin(support::kSoPin);
    pins.user = support::Pin(support::kUserPin);
    return pins;
  }
  base::Result<base::Bytes> TokenRandom(const std::string& token, std::size_t octets) override {
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> located, LocateToken(token));
    KC_ASSIGN_OR_RETURN(hsm::Session session, hsm::Session::Open(located, hsm::Session::Access::kReadOnly));
    return session.GenerateRandom(octets);
  }
  base::Result<base::SecretBytes> CurrentPin(const std::string&, quorum::Pin) override {
    return support::Pin(support::kUserPin);
  }
  base::Result<void> EndSession(const std::string&) override {
    login_.reset();
    return {};
  }

  base::Result<void> RestartModule(const std::string&) override {
    login_.reset();
    return module->Reinitialise();
  }

  // MakeKey puts a key on the token behind the step's back; the estate knows it when `known`.
  hsm::KeyPair MakeKey(const std::string& name, base::Bytes id, bool known) {
    hsm::Session* const session = Good(Session(kToken));
    const hsm::KeyPair pair = Good(hsm::GenerateKeyPair(*session, {.label = name, .id = id}).key).pair;
    if (known) {
      Good(estate_.Apply(estate::KeyCreated{name, "ec-p256", "sign", pair.public_key.SpkiSha256Hex(), kToken, kSerial,
                                            base::HexEncode(id), false},
                         {"0001-a", 2, ""}));
    }
    observer->after.clear();
    return pair;
  }

  // Functions are the names of the consequential calls that were made, in order.
  std::vector<std::string> Functions() const {
    std::vector<std::string> names;
    for (const std::string& call : observer->calls) {
      if (call.starts_with("before ")) names.push_back(call.substr(7));
    }
    return names;
  }
  support::FakeSlot& slot() { return device->slots[0]; }
  estate::Estate& known() { return estate_; }

  std::shared_ptr<support::FakeDevice> device = std::make_shared<support::FakeDevice>();
  std::shared_ptr<support::ListeningObserver> observer = std::make_shared<support::ListeningObserver>();
  std::shared_ptr<hsm::Module> module;
  support::ScriptedTerminal people;
  FixedClock time;
  steps::Progress done_before;
  bool declines = false;
  std::vector<Approval> approvals;
  std::vector<json> entries;
  std::vector<json> achieved;
  std::map<std::string, base::Bytes> artefacts;
  int adopted = 0;
  int pins_chosen = 0;

 private:
  script::Inputs inputs_;
  estate::Estate estate_;
  quorum::Attendance attendance_;
  std::optional<hsm::LoginScope> login_;
};

}  // namespace step_bench

#endif  // TESTS_UNIT_STEPS_STEP_BENCH_H_
